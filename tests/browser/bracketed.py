"""A made-up language in which every sentence stands in brackets: what a page shows without any was never translated."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from babel.messages.pofile import write_po
from playwright.sync_api import Page

import api.errors
import api.intake.pages
import api.pages.paper
from tests.words import asked_for
from vault import languages

_KEPT = (  # what is kept of the real language must go, and come back
    languages.translation,
    languages.javascript_words,
    languages._catalogue,
    api.pages.paper.own_templates,
    api.intake.pages._templates,
    api.errors._templates,
)
_INNERMOST = re.compile("⟦[^⟦⟧]*⟧")
_WORD = re.compile(r"[^\W\d_]{2,}")
_READ = """() => {
  const page = document.documentElement.cloneNode(true);
  for (const one of page.querySelectorAll("script, style, time, pre, code, .mono, .prose, [lang]")) one.remove();
  const saying = /^(aria-label|title|placeholder|alt|data-(missing|wrong|title|sealed|no|good|bad|old))$/;
  const said = [...page.querySelectorAll("*")].flatMap((one) => [...one.attributes])
    .filter(({ name }) => saying.test(name)).map(({ value }) => value);
  return [page.textContent, ...said];
}"""
"""All text of a page, and what is heard, or shown only later; not what is the same in every language, nor what the
business wrote."""


@contextmanager
def bracketed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let German be that language: by another catalogue in that folder, and nothing else is exchanged."""
    catalogue = asked_for()
    for message in catalogue:
        if message.id:
            one = isinstance(message.id, str)
            message.string = f"⟦{message.id}⟧" if one else tuple(f"⟦{half}⟧" for half in message.id)
    with (folder / "de.po").open("wb") as file:
        write_po(file, catalogue)
    monkeypatch.setattr(languages, "LOCALE", folder)
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for kept in _KEPT:
        kept.cache_clear()


def bare(page: Page, data: Iterable[str] = ()) -> list[str]:
    """The words on a page that stand in no brackets, but for data."""
    found = []
    for text in page.evaluate(_READ):
        left = text
        while left != (left := _INNERMOST.sub(" ", left)):
            pass
        for one in sorted(data, key=len, reverse=True):
            left = left.replace(one, " ")
        found += _WORD.findall(left)
    return found
