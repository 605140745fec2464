"""Card numbers and card codes are never stored: the one rule by which form, fallback and core know them.

1. Text is folded by NFKC, and every decimal digit of Unicode counts, so that no other spelling slips through.
2. Letters part two numbers. Everything else between digits (spaces, dashes, line breaks, the border of two
   fields) is a separator, as people group the digits of a card by them.
3. A run of 13 to 19 digits that passes Luhn's check (ISO/IEC 7812-1, annex B) is a card number.
4. In a longer run, and beside the expiry or the code, only a stretch that starts and measures like a card of
   a known scheme counts, or every tenth long number would be refused.
5. A field that is nothing but an IP address holds no card: a port after one would often look like it.
6. Three or four digits after the name of a card code are a card code.

`api/static/cards.js` is the same rule for the browser, and a test holds the two together.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Mapping

SHORTEST, LONGEST = 13, 19

# First digits and lengths of the schemes in use.
_SCHEMES = re.compile(
    r"""4(?:\d{12}|\d{15}|\d{18})              # Visa
      | (?:5[1-5]\d{2}|2[2-7]\d{2})\d{12}      # Mastercard
      | 3[47]\d{13}                            # American Express
      | 3(?:0[0-5]|[689]\d)\d{11,16}           # Diners Club
      | 35\d{14,17}                            # JCB
      | (?:6\d|5[0678])\d{14,17}               # Discover, UnionPay, Maestro, RuPay
    """,
    re.ASCII | re.VERBOSE,
)

_CODE = re.compile(
    r"""\b(?:cvv2?|cvc2?|cvn2?
          |card\ (?:security|verification)\ (?:code|number|value)
          |(?:karten)?pr(?:ü|ue|u)f(?:nummer|ziffer))\b
        [^0-9a-z]{0,8}[0-9]{3,4}(?![0-9])""",
    re.IGNORECASE | re.VERBOSE,
)


def holds_card_number(fields: Mapping[str, str]) -> bool:
    """Tell whether fields hold a card number, in one or spread over several in this order, or a card code."""
    texts = [
        "\n" if _is_address(value) else unicodedata.normalize("NFKC", value) for value in fields.values()
    ]
    if any(_CODE.search("".join(_folded(text))) for text in texts):
        return True
    return any(_is_card(run) for run in _digit_runs(texts))


def passes_luhn(digits: str) -> bool:
    """Apply Luhn's check to ASCII digits, the check digit last."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 (the sum of a two-digit product's digits)
    return total % 10 == 0


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value.strip().strip("[]"))
    except ValueError:
        return False
    return True


def _folded(text: str) -> Iterator[str]:
    """Give the text with every decimal digit of Unicode as its ASCII one."""
    for character in text:
        digit = unicodedata.decimal(character, None)
        yield character if digit is None else str(digit)


def _digit_runs(texts: list[str]) -> Iterator[str]:
    """Gather digits that no letter parts, over all texts; an address (given as a line break) parts too."""
    run: list[str] = []
    for text in texts:
        if text == "\n":
            yield "".join(run)
            run = []
            continue
        for character in _folded(text):
            if "0" <= character <= "9":
                run.append(character)
            elif character.isalpha():
                yield "".join(run)
                run = []
    yield "".join(run)


def _is_card(run: str) -> bool:
    if SHORTEST <= len(run) <= LONGEST and passes_luhn(run):
        return True
    return any(
        _SCHEMES.fullmatch(stretch) and passes_luhn(stretch)
        for length in range(SHORTEST, min(LONGEST, len(run)) + 1)
        for start in range(len(run) - length + 1)
        for stretch in (run[start : start + length],)
    )
