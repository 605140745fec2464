"""Card numbers and card codes are never stored: the one rule by which form, fallback and core know them.

1. A value is read as it is spelt, with its URL, HTML and JSON escapes undone, and as the text in it where it is base64.
   It is folded by NFKC; every decimal digit of Unicode counts, and what is invisible or only decorates a digit is
   dropped, so that no other spelling slips through.
2. Digits without anything between them are a group. A number is one group or several, with anything but letters between
   them, also over the border of fields. Its groups are even, or three at most, or of three digits and more on average.
   A text of more than 255 characters is full of numbers; there only the groups in which people write cards count,
   and of a table of small numbers none.
3. A number of 13 to 19 digits that starts and measures like a card of a known scheme and passes Luhn's check
   (ISO/IEC 7812-1, annex B) is a card number, whatever other groups stand beside it; so it is with one letter between
   its groups, and with its expiry glued to it. Within a longer group it is not looked for, or every tenth
   identification number would be refused.
4. In a value of up to 255 characters any other number of that length that passes the check is refused as well. That
   hits one in ten; what is no card passes with a letter between its digits, or shortened to its last four: `NO_CARDS`
   says so.
5. Network addresses, telephone numbers with their country, UUIDs and long hexadecimal keys hold no card: their digits
   would look like one too often.
6. Three or four digits after the name of a card code are a card code.

What somebody hides on purpose, in words, in a picture or an archive, is not found.
`api/static/cards.js` is the same rule for the browser, and a test holds the two together.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, groupby, permutations

from vault.model.readings import readings
from vault.sentences import Sentence

NO_CARDS = Sentence(
    "This looks like a card number or card code, and those are never kept here: please take it out. If it is "
    "another number, write a letter between its digits, or only its last four digits"
)

SHORTEST, LONGEST = 13, 19
_SHORT_VALUE = 255
_MOST_FIELDS = 16
_TABLE = 40  # groups of digits in a row
_DIGITS = "0123456789"
_AT_THE_BORDER = 120  # characters of a field that a number over two fields can reach into it

_ESCAPED = re.compile(
    r"%([0-9A-Fa-f]{2})|&#([0-9]{1,6});|&#[xX]([0-9A-Fa-f]{1,5});|&[A-Za-z]{2,8};"
    r"|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\[nrtfv]"
)
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_HEXTETS = r"[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}"
_NO_NUMBER = re.compile(
    rf"(?<![0-9])(?<![0-9]\.)(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9]|\.[0-9])(?:[:/][0-9]{{1,5}}(?![0-9]))?"
    rf"|(?<![0-9a-z:])(?:(?:[0-9a-f]{{1,4}}:){{7}}[0-9a-f]{{1,4}}|(?:{_HEXTETS})?::(?:{_HEXTETS})?)(?![0-9a-z:])"
    r"|(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])"
    r"|(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{32,}(?![0-9a-z])"
    r"|(?<![0-9a-z:])(?=[0-9:]*[a-f])(?:[0-9a-f]{2}:){14,}[0-9a-f]{2}(?![0-9a-z])"
    r"|(?<![0-9])\+(?:[1-9][0-9]{0,2}[ ./()-]{1,2}[0-9 ./()-]{5,16}|[1-9][0-9]{6,14})(?![0-9])"
    r"|(?<![0-9])\+(?=[0-9])"
)
_NUMBER = re.compile(r"[0-9]+(?:[^0-9a-z]+[0-9]+)*")
_NUMBER_WITH_LETTERS = re.compile(r"[0-9]+(?:(?:[^0-9a-z]+|[a-z](?=[0-9]))[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_EXPIRY = re.compile(r"(?:(?:0[1-9]|1[0-2])[2-4][0-9]|[2-4][0-9](?:0[1-9]|1[0-2]))(?:[0-9]{3,4})?")
_CODE = re.compile(
    r"(?<![0-9a-z_])(?:cvv2?|cvc2?|cvn2?|csc|cav2|card (?:security|verification) (?:code|number|value)"
    r"|(?:karten)?pr(?:ue|u)f(?:nummer|ziffer))(?![0-9a-z_])"
    r"(?:[^0-9a-z]{0,8}(?:code|number|no|nr|nummer|value|is|ist|lautet)(?![0-9a-z_])){0,3}"
    r"[^0-9a-z]{0,8}[0-9](?:[ .-]?[0-9]){2,3}(?![0-9])"
)


def holds_card_number(fields: Mapping[str, str]) -> bool:
    """Tell whether fields hold a card number, in one or spread over several of them, or a card code."""
    plain = [_folded(value) for value in fields.values()]
    undone = [_folded(_unescaped(value)) for value in fields.values()]
    inner = [text for value in fields.values() for text in readings(value)[1:]]
    hidden = [_folded(spelling) for text in inner for spelling in (text, _unescaped(text))]
    if any(_CODE.search(text) for text in {"\n".join(plain), "\n".join(undone), *hidden}):
        return True
    if any(_holds_number(_bare(text)) for text in {*plain, *undone, *hidden}):
        return True
    return any(_holds_number_over_borders(row) for texts in (plain, undone) for row in _rows(texts))


_DOUBLED = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))
"""What a doubled digit counts: the sum of the digits of its double."""


def passes_luhn(digits: str) -> bool:
    """Apply Luhn's check to ASCII digits, the check digit last."""
    doubled = sum(_DOUBLED[digit] for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


# -- spellings -------------------------------------------------------------------------------------------------------


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(_escaped, text) if "%" in text or "&" in text or "\\" in text else text


def _escaped(found: re.Match[str]) -> str:
    byte, decimal, *hexadecimal = found.groups()
    if byte:
        code = int(byte, 16)
        return chr(code) if code < 128 else " "  # noqa: PLR2004 (a part of a letter or blank in UTF-8)
    code = int(decimal) if decimal else int(next(filter(None, hexadecimal), "20"), 16)
    return " " if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else chr(code)  # noqa: PLR2004 (surrogates)


def _folded(text: str) -> str:
    """Spell a text in small ASCII: every letter stays a letter, every digit a digit."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("\u00fc", "ue")
    return folded if folded.isascii() else _FOREIGN.sub(_foreign, folded)


def _foreign(found: re.Match[str]) -> str:
    return _spelt(found[0])


@cache
def _spelt(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category == "Cf" or category.startswith("M"):
        return ""
    return "x" if category.startswith("L") else " "


def _bare(text: str) -> str:
    return _NO_NUMBER.sub("xx", text)


def _rows(texts: list[str]) -> Iterator[tuple[str, ...]]:
    """Put the fields in their order, and each before each other one: their order is nobody's. Of long ones the ends."""
    ends, begins = [], []
    for text in texts[:_MOST_FIELDS]:
        long = len(text) > 2 * _AT_THE_BORDER
        begins.append(_bare(text[:_AT_THE_BORDER].rstrip(_DIGITS) if long else text))
        ends.append(_bare(text[-_AT_THE_BORDER:].lstrip(_DIGITS) if long else text))
    pairs = zip(begins, ends, strict=True)
    yield tuple(begin if begin == end else f"{begin} xx {end}" for begin, end in pairs)
    for first, second in permutations(range(len(begins)), 2):
        yield ends[first], begins[second]


# -- numbers ---------------------------------------------------------------------------------------------------------


def _holds_number(text: str) -> bool:
    """Look for the card of a known scheme anywhere, and in a short text for any other."""
    short = len(text) <= _SHORT_VALUE
    if short and any(_is_some_card(_GROUP.findall(run)) for run in _NUMBER.findall(text)):
        return True
    for run in _NUMBER_WITH_LETTERS.finditer(text):
        if run.end() - run.start() < SHORTEST:
            continue
        groups = _GROUP.findall(run[0])
        if any(map(_with_expiry, groups)):
            return True
        for part in [groups] if short or len(groups) <= _TABLE else _parts_of_a_table(groups):
            if _holds_card_of_a_scheme(part, strict=not short):
                return True
    return False


def _holds_number_over_borders(texts: tuple[str, ...]) -> bool:
    row = "\n".join(texts)
    borders = list(accumulate(len(text) + 1 for text in texts[:-1]))
    for run in _NUMBER_WITH_LETTERS.finditer(row):
        within = [border for border in borders if run.start() < border < run.end()]
        counts = [sum(map(len, _GROUP.findall(row[run.start() : border]))) for border in within]
        if counts and _holds_card_of_a_scheme(_GROUP.findall(run[0]), strict=False, over=counts):
            return True
    return False


def _parts_of_a_table(groups: list[str]) -> Iterator[list[str]]:
    """Leave the small numbers out: what stands between them may still be a card."""
    for is_small, part in groupby(groups, lambda group: len(group) < 3):  # noqa: PLR2004 (the last of 4-4-4-4-3)
        if not is_small:
            yield list(part)


def _is_some_card(groups: list[str]) -> bool:
    number = "".join(groups)
    return SHORTEST <= len(number) <= LONGEST and _is_grouped(groups, strict=False) and passes_luhn(number)


def _is_grouped(groups: list[str], *, strict: bool) -> bool:
    first = len(groups[0])
    even = all(len(group) == first for group in groups[1:-1]) and len(groups[-1]) <= first
    if strict:
        return (even and (len(groups) == 1 or first in {1, 2, 4, 8})) or [
            len(group) for group in groups[:2]
        ] == [4, 6]
    return even or len(groups) <= 3 or sum(map(len, groups)) >= 3 * len(groups)  # noqa: PLR2004 (see rule 2)


def _holds_card_of_a_scheme(groups: list[str], *, strict: bool, over: Sequence[int] = ()) -> bool:
    """Look at every stretch of whole groups; with `over`, only at those that reach over one of these digit counts."""
    number = "".join(groups)
    borders = list(accumulate(map(len, groups), initial=0))
    at = {border: place for place, border in enumerate(borders)}
    for first, start in enumerate(borders[:-1]):
        for length in _lengths(number[start : start + 4]):
            last = at.get(start + length)
            if (
                last is not None
                and passes_luhn(number[start : start + length])
                and _is_grouped(groups[first:last], strict=strict)
                and (not over or any(start < count < start + length for count in over))
            ):
                return True
    return False


def _with_expiry(group: str) -> bool:
    return any(
        _EXPIRY.fullmatch(rest) and len(card) in _lengths(card[:4]) and passes_luhn(card)
        for more in (4, 7, 8)
        if SHORTEST <= len(group) - more <= LONGEST
        for card, rest in ((group[:-more], group[-more:]), (group[more:], group[:more]))
    )


_UP_TO_19 = (16, 17, 18, 19)
_SCHEMES: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (2200, 2205, _UP_TO_19),  # Mir
    (2221, 2720, (16,)),  # Mastercard
    (3000, 3059, (14, 15, *_UP_TO_19)),  # Diners Club
    (3090, 3099, (14, 15, *_UP_TO_19)),
    (3400, 3499, (15,)),  # American Express
    (3500, 3599, _UP_TO_19),  # JCB
    (3600, 3699, (14, 15, *_UP_TO_19)),  # Diners Club
    (3700, 3799, (15,)),  # American Express
    (3800, 3999, (14, 15, *_UP_TO_19)),  # Diners Club
    (4000, 4999, (13, 16, 19)),  # Visa
    (5000, 5099, _UP_TO_19),  # Maestro
    (5100, 5599, (16,)),  # Mastercard
    (5600, 5899, _UP_TO_19),  # Maestro
    (6000, 6999, _UP_TO_19),  # Discover, Maestro, RuPay, UnionPay
    (8100, 8199, _UP_TO_19),  # UnionPay
    (8600, 8600, (16,)),  # Uzcard
    (9792, 9792, (16,)),  # Troy
    (9860, 9860, (16,)),  # Humo
)
"""First four digits from and to, and the lengths, of the schemes in use."""


@cache
def _lengths(first_four: str) -> tuple[int, ...]:
    start = int(first_four or 0)
    return next((lengths for first, last, lengths in _SCHEMES if first <= start <= last), ())
