"""The business's terms as people read them: paragraph by paragraph, and what differs between two versions."""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal, NamedTuple

from vault.errors import Invalid
from vault.model.views import View

SHORTEST, LONGEST = 20, 30_000
"""Characters of a version."""
MOST_PARAGRAPHS = 400
_ALIKE = 0.5
"""From here on a paragraph counts as the same one with other words; below, as one that went and one that came."""
_NEAR = 4
"""How many paragraphs that went are looked at for the one that came in its place."""
_MOST_COMPARED = 250_000
"""Words times words; comparing longer paragraphs could take seconds, so those are exchanged as a whole."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_JOINING = "\t\n\u200c\u200d"

How = Literal["same", "added", "removed"]
Tag = Literal["h2", "h3", "li", "p"]
State = Literal["announced", "in force", "former"]
MARKS: dict[Tag, str] = {"h2": "# ", "h3": "## ", "li": "- ", "p": ""}


class Words(NamedTuple):
    """A stretch of a paragraph, without the spaces around it, and how it came or went with this version."""

    how: How
    text: str


class Paragraph(View):
    """A paragraph of the terms: the HTML element that it is, and its words."""

    tag: Tag
    words: tuple[Words, ...]

    @property
    def how(self) -> How | Literal["changed"]:
        """What has happened to it as a whole."""
        hows = {words.how for words in self.words}
        return hows.pop() if len(hows) == 1 else "changed"


class TermsView(View):
    """One version of the terms."""

    version: int
    text: str
    digest: str
    """SHA-256 of the text in UTF-8, in hexadecimal; the ledger's entry of the posting names it."""
    posted_at: datetime
    effective_at: datetime
    state: State
    changes: tuple[Paragraph, ...]
    """All of its paragraphs and those that are gone, marked against the version before; none for the first one."""


class AllTermsView(View):
    """The version in force, if one is, and those that are announced, the next one first."""

    in_force: TermsView | None
    announced: tuple[TermsView, ...]


def parse(raw: str) -> str:
    """Terms in their one spelling: each paragraph on one line, an empty line between, NFC.

    How a file is wrapped or indented makes no difference. `# ` and `## ` begin a heading, `- ` an item of a list.
    Raises Invalid when they are too short or too long, or hold characters that nobody sees.
    """
    text = unicodedata.normalize("NFC", raw.removeprefix("\ufeff").replace("\r\n", "\n"))
    if any(unicodedata.category(character) in _UNSEEN and character not in _JOINING for character in text):
        raise Invalid("the terms hold characters that cannot be shown")
    written = list(_unwrapped(text))
    parsed = "\n\n".join(written)
    if not SHORTEST <= len(parsed) <= LONGEST:
        raise Invalid(f"terms have {SHORTEST} to {LONGEST} characters")
    if len(written) > MOST_PARAGRAPHS:
        raise Invalid(f"terms have at most {MOST_PARAGRAPHS} paragraphs")
    return parsed


def _unwrapped(text: str) -> Iterator[str]:
    held: list[str] = []
    for line in (*text.split("\n"), ""):
        words = " ".join(line.split())
        is_heading = words.startswith(("# ", "## "))
        if held and (not words or is_heading or words.startswith("- ")):
            yield " ".join(held)
            held = []
        if is_heading:
            yield words
        elif words:
            held.append(words)


def paragraphs(text: str) -> list[Paragraph]:
    """The paragraphs of a version by itself."""
    return [_whole("same", written) for written in text.split("\n\n")]


@lru_cache(32)
def difference(before: str, after: str) -> tuple[Paragraph, ...]:
    """What comes and goes from one version to the next, by paragraphs, and in a changed one by words.

    Whatever is the same or removed is all of `before` in its order, whatever is the same or added all of `after`.
    """
    old, new = before.split("\n\n"), after.split("\n\n")
    found: list[Paragraph] = []
    for how, start, stop, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how == "equal":
            found += [_whole("same", written) for written in old[start:stop]]
        else:
            found += _exchanged(old[start:stop], new[first:last])
    return tuple(found)


def _exchanged(gone: Sequence[str], come: Sequence[str]) -> Iterator[Paragraph]:
    """Paragraphs in place of others: those that are alike are one with other words."""
    left = list(gone)
    for written in come:
        for at, former in enumerate(left[:_NEAR]):
            changed = _reworded(former, written)
            if changed is not None:
                yield from (_whole("removed", skipped) for skipped in left[:at])
                yield changed
                del left[: at + 1]
                break
        else:
            yield _whole("added", written)
    yield from (_whole("removed", former) for former in left)


def _reworded(before: str, after: str) -> Paragraph | None:
    """The one paragraph that the two are, or None where they have little in common."""
    (tag, gone), (other, come) = _read(before), _read(after)
    old, new = gone.split(" "), come.split(" ")
    if tag != other or len(old) * len(new) > _MOST_COMPARED:
        return None
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return None
    words: list[Words] = []
    for how, start, stop, first, last in matcher.get_opcodes():
        if how == "equal":
            words.append(Words("same", " ".join(old[start:stop])))
            continue
        if start < stop:
            words.append(Words("removed", " ".join(old[start:stop])))
        if first < last:
            words.append(Words("added", " ".join(new[first:last])))
    return Paragraph(tag=tag, words=tuple(words))


def _whole(how: How, written: str) -> Paragraph:
    tag, text = _read(written)
    return Paragraph(tag=tag, words=(Words(how, text),))


def _read(written: str) -> tuple[Tag, str]:
    """The element that a paragraph's mark stands for, and its words without the mark."""
    tag: Tag = next(tag for tag, mark in MARKS.items() if written.startswith(mark))
    return tag, written.removeprefix(MARKS[tag])
