"""What a second person approves: every word of a line, each in its own place."""

from dataclasses import fields, replace

import pytest

from vault.errors import Denied
from vault.policy.necessity import Line, require_approved

LINE = Line(
    "transfer", "Transfer", "registrar", "to move your domain", "The registrar asks for it.", "customer"
)


@pytest.mark.promise("P7")
@pytest.mark.parametrize("name", [field.name for field in fields(Line)])
def test_another_word_anywhere_is_another_line(name: str) -> None:
    assert replace(LINE, **{name: getattr(LINE, name) + "."}).digest != LINE.digest
    assert replace(LINE).digest == LINE.digest


@pytest.mark.promise("P7")
def test_words_cannot_move_from_one_place_to_the_next() -> None:
    moved = replace(LINE, because=LINE.because + LINE.necessity[:1], necessity=LINE.necessity[1:])
    assert moved.digest != LINE.digest


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    ("asked", "waiting", "may"),
    [
        ({"note"}, set(), True),
        ({"note"}, {"registrar"}, True),
        ({"registrar"}, set(), True),
        ({"registrar"}, {"registrar"}, False),
        ({"note", "registrar"}, {"registrar", "payment-provider"}, False),
    ],
)
def test_nobody_is_asked_for_what_waits(asked: set[str], waiting: set[str], *, may: bool) -> None:
    try:
        require_approved(asked, waiting)
    except Denied:
        assert not may
    else:
        assert may
