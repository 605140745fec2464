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
from itertools import accumulate

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


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""What a doubled digit counts: the sum of the digits of its double."""


def passes_luhn(digits: str) -> bool:
    """Apply Luhn's check to ASCII digits, the check digit last."""
    doubled = sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return (doubled + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


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
    return any(_SCHEMES.fullmatch(stretch) for stretch in _stretches_that_pass(run))


def _stretches_that_pass(run: str) -> Iterator[str]:
    """Find every stretch of a run that passes Luhn's check, by two running sums: a key file may be all digits."""
    digits = [int(digit) for digit in run]
    ending_at_even, ending_at_odd = (
        list(accumulate((_DOUBLED[d] if (at + odd) % 2 else d for at, d in enumerate(digits)), initial=0))
        for odd in (0, 1)
    )
    for end in range(SHORTEST, len(run) + 1):
        sums = ending_at_odd if end % 2 == 0 else ending_at_even
        for start in range(max(0, end - LONGEST), end - SHORTEST + 1):
            if (sums[end] - sums[start]) % 10 == 0:
                yield run[start:end]
