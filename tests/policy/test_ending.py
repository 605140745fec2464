"""When an end can still be moved: while it is to come, and in the grace after one that came by itself."""

import pytest

from vault.errors import Ended, Invalid
from vault.policy.ending import grace_until, require_new_end, require_prolongable
from vault.values import DAY

END = 1_000 * DAY
GRACE = 5


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    ("grace", "now", "until"),
    [
        (0, END, None),
        (0, END - 1, END),
        (GRACE, END, END + GRACE * DAY),
        (GRACE, END + GRACE * DAY - 1, END + GRACE * DAY),
        (GRACE, END + GRACE * DAY, None),
        (GRACE, END + 100 * DAY, None),
    ],
)
def test_a_grace_is_counted_from_the_end_and_not_from_when_somebody_noticed(
    grace: int, now: int, until: int | None
) -> None:
    assert grace_until(END, grace, now) == until


@pytest.mark.promise("P4", "P5")
@pytest.mark.parametrize(
    ("state", "destroy_at", "grace", "now", "may"),
    [
        ("open", None, 0, END - 1, True),
        ("open", None, 0, END, False),
        ("open", None, GRACE, END, True),
        ("open", None, GRACE, END + GRACE * DAY - 1, True),
        ("open", None, GRACE, END + GRACE * DAY, False),
        ("ended", None, GRACE, END - 1, False),
        ("ended", None, GRACE, END + 1, False),
        ("ended", END + DAY, 0, END + DAY - 1, True),
        ("ended", END + DAY, GRACE, END + DAY, False),
        ("destroyed", None, GRACE, END + 1, False),
        ("destroyed", END + DAY, GRACE, END + 1, False),
        ("", END + DAY, GRACE, END + 1, False),
    ],
)
def test_what_can_be_prolonged(
    state: str, destroy_at: int | None, grace: int, now: int, *, may: bool
) -> None:
    try:
        require_prolongable(state, END, destroy_at, grace, now)
    except Ended:
        assert not may
    else:
        assert may


@pytest.mark.parametrize(
    ("end", "now", "may"),
    [
        (END + 1, END - DAY, True),
        (END, END - DAY, False),
        (END - 1, END - DAY, False),
        (END + 30 * DAY, END, True),
        (END + 30 * DAY + 1, END, False),
        (END + 2 * DAY, END + DAY, True),
        (END + DAY, END + DAY, False),
    ],
)
def test_a_new_end_is_later_than_now_and_than_the_old_one_and_within_the_longest_life(
    end: int, now: int, *, may: bool
) -> None:
    if may:
        require_new_end(end, END, 30, now)
        return
    with pytest.raises(Invalid) as refused:
        require_new_end(end, END, 30, now)
    assert refused.value.pointer == "/ends_at"
