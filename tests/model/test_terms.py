"""Two versions of the terms side by side: whatever is marked, both can be read out of it."""

from collections.abc import Iterable
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import Invalid
from vault.model.terms import LONGEST, SHORTEST, Paragraph, difference, paragraphs, parse

WORD = st.text(st.characters(categories=("L", "N", "P"), max_codepoint=0x3000), min_size=1, max_size=9)
LINE = st.lists(WORD, min_size=3, max_size=12).map(" ".join)
MARK = st.sampled_from(["", "", "", "# ", "## ", "- "])
BLOCK = st.tuples(MARK, LINE).map("".join)
TEXT = st.lists(BLOCK, min_size=3, max_size=8).map("\n\n".join).filter(lambda text: len(text) >= SHORTEST)
MARKS = {"h2": "# ", "h3": "## ", "li": "- ", "p": ""}


def side(changes: Iterable[Paragraph], gone: str) -> str:
    """One version, read out of a difference: without the words that are not in it."""
    written = [(one.tag, " ".join(words.text for words in one.words if words.how != gone)) for one in changes]
    return "\n\n".join(MARKS[tag] + text for tag, text in written if text)


@given(TEXT, TEXT)
def test_both_versions_can_be_read_out_of_their_difference(before: str, after: str) -> None:
    before, after = parse(before), parse(after)
    changes = difference(before, after)
    assert side(changes, "added") == before
    assert side(changes, "removed") == after


@given(TEXT)
def test_the_same_text_has_no_difference_and_one_spelling(text: str) -> None:
    parsed = parse(text)
    assert parse(parsed) == parsed
    assert all(paragraph.how == "same" for paragraph in difference(parsed, parsed))
    assert difference(parsed, parsed) == tuple(paragraphs(parsed))


@given(st.text(max_size=200))
def test_any_text_is_terms_or_is_refused(text: str) -> None:
    try:
        parsed = parse(text)
    except Invalid:
        return
    assert parse(parsed) == parsed
    assert "\n\n\n" not in parsed
    assert side(difference(parsed, "Something else."), "added") == parsed


def test_a_file_says_the_same_however_it_is_wrapped_and_ended() -> None:
    written = "# Terms\n\nWe ask for little\nand keep it short.\n\n- a login\n- a key that\n  you add\n## Ends\nSoon."
    parsed = "# Terms\n\nWe ask for little and keep it short.\n\n- a login\n\n- a key that you add\n\n## Ends\n\nSoon."
    for text in (written, written.replace("\n", "\r\n"), f"\ufeff\n\n{written}  \n\n"):
        assert parse(text) == parsed
    assert [paragraph.tag for paragraph in paragraphs(parsed)] == ["h2", "p", "li", "li", "h3", "p"]


def test_a_reworded_paragraph_is_marked_by_words_and_another_one_as_a_whole() -> None:
    before = parse("# Terms\n\nIt is deleted when it is no longer needed.\n\nWe tell you within a week.")
    after = parse(
        "# Terms\n\nIt is destroyed when it is no longer needed.\n\nAsk at any time, day and night."
    )
    assert [(one.tag, one.how) for one in difference(before, after)] == [
        ("h2", "same"),
        ("p", "changed"),
        ("p", "added"),
        ("p", "removed"),
    ]
    assert difference(before, after)[1].words == (
        ("same", "It is"),
        ("removed", "deleted"),
        ("added", "destroyed"),
        ("same", "when it is no longer needed."),
    )


def test_a_paragraph_that_becomes_a_heading_is_another_one() -> None:
    changes = difference("How it ends for you and us", "# How it ends for you and us")
    assert [(one.tag, one.how) for one in changes] == [("h2", "added"), ("p", "removed")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b " * 7_400, "b a " * 7_400),
        ("\n\n".join(["a b " * 18] * 390), "\n\n".join(["b a c " * 12] * 390)),
        ("x" * LONGEST, "y" * LONGEST),
    ],
    ids=["one paragraph", "many paragraphs", "one word"],
)
def test_no_two_texts_keep_the_comparison_busy_for_long(before: str, after: str) -> None:
    before, after, begun = parse(before), parse(after), perf_counter()
    changes = difference(before, after)
    assert perf_counter() - begun < 10
    assert side(changes, "added") == before
    assert side(changes, "removed") == after
