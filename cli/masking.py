"""What a program prints, without the secrets that it was given, in each spelling that programs commonly use.

It guards against accidents: `env`, `set -x`, an error message with the whole connection string in it. A program that
wants to give a secret away has more ways to spell it than anybody can know, and other ways out than its output.
"""

import copy
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from cli.spellings import escaped, in_base64, in_hexadecimal, quoted

MASK = b"<masked>"
SHORTEST = 4
"""Bytes. What is shorter stands in every second line by chance, and the gaps would spell it out."""
LONGEST = 64 * 1024
"""Bytes; the longest text that a field takes. What is longer is a file."""

_SHORTEST_SPELLING = 5
"""Bytes of a spelling other than the secret itself; the base64 of three letters is common."""
_LINE = range(8, 65)
"""Bytes of a line that is also looked for alone. Shorter ones are braces and the like, longer ones have windows."""
_WHOLE = 64
"""Bytes up to which a secret is looked for as a whole; of a longer one any part is masked that is long enough."""
_MOST = 2
"""One part in so many of a secret, at the very end of the output, is masked like all of it."""
_WINDOW = 12
_NOTICED = 6
"""Bytes of a long secret from which on what follows is held back. That many less one of it may be seen."""
_MANY = 4
"""Different bytes in a window; `AAAAAAAAAAAA` stands in every key."""

_WRAPPED = b" \t\r\n\v\f"
"""What may stand between two characters of base64: tools wrap it, YAML indents it."""
_GROUPED = b" \t\r\n\v\f:,-"
"""And between two digits of hexadecimal, which dumps also group."""
_LOOSE = 20
"""So many of these in a row."""


def is_maskable(value: bytes) -> bool:
    """Whether a secret can be masked: neither too short to be told from chance nor a whole file."""
    return len(value.strip()) >= SHORTEST and len(value) <= LONGEST


class Step(Protocol):
    """One thing that is done to a stream of bytes, wherever the stream is cut."""

    def feed(self, data: bytes) -> bytes:
        """Take what came next, and give what can be shown by now."""

    def paused(self) -> bytes:
        """Give what can be seen of what is held back, for nothing follows it for the moment."""

    def close(self) -> bytes:
        """Give what was held back."""


class Mask:
    """Takes secrets out of a stream of bytes, wherever it is cut.

    Only what may be the beginning of a secret is held back, so prompts are seen and nothing piles up.
    """

    def __init__(self, values: Iterable[bytes]) -> None:
        wholes: dict[bytes, None] = {}
        loose: dict[tuple[bytes, bytes], None] = {}
        long: dict[bytes, None] = {}
        for value in values:
            if not is_maskable(value):
                continue
            bare = value.strip()
            lines = [line.strip() for line in bare.splitlines()]
            if len(lines) == 1 and len(bare) <= _WHOLE:
                wholes |= dict.fromkeys(
                    text for text in (*quoted(bare), *escaped(bare)) if _counts(text, bare)
                )
                loose |= {(text, _WRAPPED): None for text in in_base64(bare) if _counts(text)}
                loose |= {(text, _GROUPED): None for text in in_hexadecimal(bare) if _counts(text)}
                continue
            wholes |= dict.fromkeys(line for line in lines if len(line) in _LINE and b"-----" not in line)
            long |= dict.fromkeys(
                (*quoted(bare), *in_base64(bare), *in_hexadecimal(bare), bare.hex(" ").encode())
            )
        self._steps: list[Step] = []
        if long:
            self._steps.append(_Windows(list(long)))
        if wholes or loose:
            self._steps.append(_Wholes([*((text, b"") for text in wholes), *loose]))

    def again(self) -> "Mask":
        """Another one for the same secrets and another stream; what it has to know is made once."""
        other = copy.copy(self)
        other._steps = [copy.copy(step) for step in self._steps]  # noqa: SLF001 (it is of this class)
        return other

    def feed(self, data: bytes) -> bytes:
        """Take what came next, and give what can be shown by now."""
        for step in self._steps:
            data = step.feed(data)
        return data

    def paused(self) -> bytes:
        """Give the first few bytes of what is held back, for somebody who waits to see what they type.

        Of a secret that comes with a pause, so few are seen. What follows is masked as ever.
        """
        data = b""
        for step in self._steps:
            data = step.feed(data) + step.paused()
        return data

    def close(self) -> bytes:
        """Give what was held back; the greater part of a secret is masked like all of it."""
        rest = b""
        for step in self._steps:
            rest = step.feed(rest) + step.close()
        return rest


def _counts(text: bytes, bare: bytes = b"") -> bool:
    return text == bare or len(text) >= _SHORTEST_SPELLING


# -- short secrets, as a whole -----------------------------------------------------------------------------------------


class _Wholes:
    """Masks texts that are looked for from end to end, some of them with white space in between."""

    def __init__(self, spellings: Sequence[tuple[bytes, bytes]]) -> None:
        self._spellings = sorted(spellings, key=lambda one: (-len(one[0]), one))
        self._by_first: dict[int, list[tuple[bytes, bytes]]] = {}
        for spelling in self._spellings:
            self._by_first.setdefault(spelling[0][0], []).append(spelling)
        self._found = _expression(self._spellings)
        self._first = re.compile(b"[%s]" % b"".join(re.escape(bytes([one])) for one in self._by_first))
        self._heads = {text[:SHORTEST] for text, between in self._spellings if not between}
        self._loose_heads = {text[:_SHORTEST_SPELLING] for text, between in self._spellings if between}
        self._reach = max(len(text) * (1 + _LOOSE * bool(between)) for text, between in self._spellings)
        self._held = b""
        self._seen = 0
        """Bytes of it that were shown already, in a pause."""

    def feed(self, data: bytes) -> bytes:
        self._held += data
        return self._shown(self._begun())

    def paused(self) -> bytes:
        shown = self._held[self._seen : SHORTEST - 1]
        self._seen += len(shown)
        return shown

    def close(self) -> bytes:
        begun = self._begun()
        shown = self._shown(begun)
        rest, self._held = self._held, b""
        seen, self._seen = self._seen, 0
        most = any(_part(rest, one) * _MOST >= len(one[0]) for one in self._spellings)
        return shown + (MASK if rest and most else rest[seen:])

    def _shown(self, end: int) -> bytes:
        """Mask what begins before `end`, and keep the rest."""
        shown, done = [], self._seen
        if self._may_be_there():
            for match in self._found.finditer(self._held):
                if match.start() >= end:
                    break
                shown += [self._held[done : match.start()], MASK]
                done = match.end()
        end = max(done, end) if len(shown) else end
        shown.append(self._held[done:end])
        self._seen = max(0, self._seen - end)
        self._held = self._held[end:]
        return b"".join(shown)

    def _may_be_there(self) -> bool:
        """Rule most output out quickly: the expression takes ten times as long."""
        if any(head in self._held for head in self._heads):
            return True
        squeezed = self._held.translate(None, _GROUPED)
        wrapped = self._held.translate(None, _WRAPPED)  # `-` also spells something in one base64
        return any(head in squeezed or head in wrapped for head in self._loose_heads)

    def _begun(self) -> int:
        """Where the first text begins that the end of what is held cuts off; the end if there is none."""
        for match in self._first.finditer(self._held, max(0, len(self._held) - self._reach)):
            rest = self._held[match.start() :]
            if any(_part(rest, one) for one in self._by_first[rest[0]]):
                return match.start()
        return len(self._held)


def _part(rest: bytes, spelling: tuple[bytes, bytes]) -> int:
    """How many bytes of a text are all that `rest` is, from its first on; 0 for other things and for the whole."""
    text, between = spelling
    if not between:
        return len(rest) if len(rest) < len(text) and text.startswith(rest) else 0
    known = 0
    for byte in rest:
        if known == len(text):
            return 0
        if byte == text[known]:
            known += 1
        elif not known or byte not in between:
            return 0
    return known if known < len(text) else 0


def _expression(spellings: Sequence[tuple[bytes, bytes]]) -> re.Pattern[bytes]:
    """One expression for all, the longest first; as a tree, so that the hundredth costs no more than the first."""
    kinds = dict.fromkeys(between for _, between in spellings)
    trees = (_tree([text for text, one in spellings if one == between], between) for between in kinds)
    return re.compile(b"|".join(trees))


def _tree(texts: Sequence[bytes], between: bytes) -> bytes:
    gap = b"[%s]{0,%d}" % (re.escape(between), _LOOSE) if between else b""
    same: dict[bytes, list[bytes]] = {}
    for text in texts:
        same.setdefault(text[:1], []).append(text)
    branches = []
    for group in same.values():
        common = _common(group)
        branch = gap.join(re.escape(bytes([byte])) for byte in common)
        if rests := [text[len(common) :] for text in group if len(text) > len(common)]:
            branch += b"(?:%s%s)%s" % (gap, _tree(rests, between), b"?" if len(rests) < len(group) else b"")
        branches.append(branch)
    return b"(?:%s)" % b"|".join(branches)


def _common(texts: Sequence[bytes]) -> bytes:
    """The beginning that all of them share."""
    first, last = min(texts), max(texts)
    length = next(
        (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None
    )
    return first[:length]


# -- long ones, by their windows ---------------------------------------------------------------------------------------


class _Windows:
    """Masks every part of long texts: each line of a key, and each line of its base64, however that is wrapped.

    All windows of twelve bytes are known, so looking at every twelfth place finds any part of 23 bytes and more.
    """

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._texts = texts
        self._windows: dict[bytes, tuple[int, int]] = {}
        for number, text in enumerate(texts):
            for at in range(len(text) - _WINDOW + 1):
                window = text[at : at + _WINDOW]
                if len(set(window)) >= _MANY and b"-----" not in window:
                    self._windows.setdefault(window, (number, at))
        self._before = b""
        """The last that was shown, for a part may have begun in it."""
        self._held = b""
        self._inside: tuple[int, int] | None = None
        """In which text the stream is, and where, while a part is being masked that the last cut has divided."""

    def feed(self, data: bytes) -> bytes:
        data = self._held + data
        self._held = b""
        shown = []
        if self._inside is not None:
            number, at = self._inside
            length = _same(data, 0, self._texts[number], at)
            data = data[length:]
            self._inside = (number, at + length) if not data else None
        known = len(self._before)
        data, done, place = self._before + data, known, 0
        while place < len(data):
            hit = self._hit(data, place)
            if hit is None:
                break
            place, (number, at) = hit
            begin = place
            while begin > done and at and data[begin - 1] == self._texts[number][at - 1]:
                begin, at = begin - 1, at - 1
            length = _same(data, begin, self._texts[number], at)
            place = begin + length
            if place > done:
                shown += [data[done : max(begin, done)], MASK]
                done = place
            if place == len(data):
                self._inside = (number, at + length)
        stop = max(done, self._begun(data)) if self._inside is None else done
        shown.append(data[done:stop])
        self._held = data[stop:]
        self._before = data[done:stop][1 - _NOTICED :] if done > known else data[:stop][1 - _NOTICED :]
        return b"".join(shown)

    def paused(self) -> bytes:
        return b""  # so few are not held back

    def close(self) -> bytes:
        rest, self._held = self._held, b""
        return rest

    def _hit(self, data: bytes, start: int) -> tuple[int, tuple[int, int]] | None:
        """The first place with a known window: every twelfth one, and at the end all of them."""
        end = len(data) - _WINDOW + 1
        near = max(start, end - _WINDOW)
        for at in (*range(start, near, _WINDOW), *range(near, end)):
            if (found := self._windows.get(data[at : at + _WINDOW])) is not None:
                return at, found
        return None

    def _begun(self, data: bytes) -> int:
        """Where at its end a part begins that is still shorter than a window."""
        for length in range(min(_WINDOW - 1, len(data)), _NOTICED - 1, -1):
            end = data[-length:]
            if len(set(end)) >= _MANY and any(end in text for text in self._texts):
                return len(data) - length
        return len(data)


def _same(data: bytes, begin: int, text: bytes, at: int) -> int:
    """How many bytes are the same from these two places on."""
    most = min(len(data) - begin, len(text) - at)
    if data[begin : begin + most] == text[at : at + most]:
        return most
    pairs = zip(data[begin : begin + most], text[at : at + most], strict=True)
    return next(length for length, (one, other) in enumerate(pairs) if one != other)
