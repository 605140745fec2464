"""Every sentence that a customer reads is said in German too, with the same values in it."""

import ast
import re
from datetime import UTC, datetime

import pytest

from tests import words
from tests.source_tree import named, sources, tree_of
from vault.errors import Invalid
from vault.languages import LANGUAGES, NAMES, translation, wished

_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?.")
_AT = datetime(2026, 12, 6, 14, 5, tzinfo=UTC)


def pairs() -> list[tuple[str, str]]:
    """Each English sentence and what the catalogue says for it; of a pair, each half."""
    said = []
    for message in words.german():
        if message.id and isinstance(message.id, str):
            said.append((message.id, str(message.string)))
        elif message.id:
            said += list(zip(message.id, message.string, strict=True))
    return said


def test_every_sentence_of_the_code_is_said_in_german_and_nothing_else_is() -> None:
    asked = {message.id for message in words.asked_for() if message.id}
    kept = words.german()
    assert "Server login with a password" in asked, "the canary"
    assert {message.id for message in kept if message.id} == asked, "run: python -m tests.words --write"
    assert not [english for english, said in pairs() if not said.strip()], "not translated"
    assert not [message.id for message in kept if message.fuzzy]
    assert not kept.obsolete, "run: python -m tests.words --tidy"


def test_a_translation_holds_the_same_values_and_the_same_edges() -> None:
    for english, said in pairs():
        assert sorted(_PLACEHOLDER.findall(english)) == sorted(_PLACEHOLDER.findall(said)), english
        assert [text[0].isspace() for text in (english, said)] == [False, False], english
        assert english[-1].isspace() == said[-1].isspace(), english
        assert "<" not in english + said, f"words, no markup: {english}"


def test_a_sentence_is_one_text_that_can_be_found() -> None:
    """A made-up or formatted one would be looked up under a text that no catalogue holds."""
    for path in sources("vault", "api"):
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"marked", "phrase", "ngettext"}:
                assert not isinstance(node.args[0], ast.JoinedStr), f"{named(path)}:{node.lineno}"


def test_what_has_no_translation_is_said_in_english() -> None:
    german = translation("de")
    assert german.gettext("A confidential note") == "Eine vertrauliche Notiz"
    assert german.gettext("nobody ever wrote this") == "nobody ever wrote this"
    assert [german.ngettext("%(n)s pear", "%(n)s pears", n) for n in (0, 1, 2)] == [
        "%(n)s pears",
        "%(n)s pear",
        "%(n)s pears",
    ]
    assert translation("en").gettext("A confidential note") == "A confidential note"
    assert translation("de") is german, "read once"


def test_dates_are_said_as_each_language_says_them() -> None:
    assert translation("en").day(_AT) == "6 December 2026"
    assert translation("de").day(_AT) == "6. Dezember 2026"
    assert translation("en").moment(_AT) == "6 December 2026 at 14:05 UTC"
    assert translation("de").moment(_AT) == "6. Dezember 2026 um 14:05 Uhr UTC"


def test_there_are_two_languages() -> None:
    assert set(NAMES) == set(LANGUAGES) == {"en", "de"}
    for other in ("", "fr", "DE", "../de"):
        with pytest.raises(Invalid):
            translation(other)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("fr-CH, fr;q=0.9, de;q=0.7, *;q=0.5", "de"),
        ("de;q=0, en", "en"),
        ("de;q=0.2,en;q=0.4", "en"),
        ("fr", "en"),
        ("de;q=nan", "en"),
        ("de;q=1e999,;;=,q=²", "en"),
        ("," * 10_000 + "de", "en"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_wishes(header: str, language: str) -> None:
    assert wished(header) == language
