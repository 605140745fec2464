"""P2, P4, AZ24 as tables: leases that begin later, are made longer, keep others out, and become too many in a day."""

from collections.abc import Collection
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.test_access import DELIVERING, HELD, NOW
from vault.errors import Conflict, Denied, Ended, Invalid, VaultError
from vault.policy.access import (
    FURTHEST,
    Assigned,
    Held,
    extended_end,
    lease_end,
    lease_start,
    overlap,
    puts_on,
    require_live,
    room_left,
)
from vault.policy.approval import Approver, busiest, needed
from vault.values import DAY, HOUR, MINUTE

LIVE = replace(HELD, starts_at=NOW - 10 * MINUTE, expires_at=NOW + 20 * MINUTE)
LONGEST, OVER = 240, NOW + 30 * DAY


# -- who is on a ticket -----------------------------------------------------------------------------------------------


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07")
@pytest.mark.parametrize(
    ("assigned", "counts"),
    [
        (Assigned("active", "per_clara"), True),
        (Assigned("active", "per_clara", NOW + 1), True),
        (Assigned("active", "per_clara", NOW), False),
        (Assigned("active", "per_tom"), False),
        (Assigned("ended", "per_clara"), False),
        (None, False),
    ],
)
def test_an_assignment_counts_until_its_end_and_never_by_ones_own_hand(
    assigned: Assigned | None, counts: bool
) -> None:
    assert puts_on(assigned, "per_tom", NOW) is counts


# -- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P4")
def test_a_lease_opens_from_its_first_microsecond_and_not_before() -> None:
    planned = replace(HELD, starts_at=NOW, expires_at=NOW + MINUTE)
    with pytest.raises(Conflict, match=r"begins on 15 January 2027, 08:00 UTC, and opens nothing before"):
        require_live(planned, "sec_one", replace(DELIVERING, service_ends_at=OVER), NOW - 1)
    require_live(planned, "sec_one", replace(DELIVERING, service_ends_at=OVER), NOW)


@pytest.mark.promise("P4")
@pytest.mark.parametrize(
    ("begins_at", "words"),
    [
        (NOW, "is over"),
        (NOW - DAY, "is over"),
        (NOW + FURTHEST + 1, "30 days ahead"),
        (OVER, "lasts? until 14 February 2027"),
        (-1, "is over"),
        (2**62, "30 days ahead"),
    ],
)
def test_a_window_lies_ahead_and_within_what_it_is_of(begins_at: int, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        lease_start(begins_at, OVER if begins_at != NOW + FURTHEST + 1 else OVER + DAY, NOW)
    assert refused.value.pointer == "/begins_at"


def test_without_a_window_it_begins_now_and_with_one_when_asked() -> None:
    assert lease_start(None, OVER, NOW) == NOW
    assert lease_start(NOW + 1, OVER, NOW) == NOW + 1
    assert lease_start(NOW + FURTHEST, OVER + 1, NOW) == NOW + FURTHEST
    assert lease_end(60, LONGEST, OVER, OVER - MINUTE) == OVER


# -- made longer ------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P4")
@pytest.mark.attack("AZ08")
@pytest.mark.parametrize(
    ("held", "error"),
    [
        (replace(LIVE, state="asked"), Conflict),
        (replace(LIVE, starts_at=NOW + 1), Conflict),
        (replace(LIVE, expires_at=NOW), Ended),
        (replace(LIVE, state="ended"), Ended),
        (replace(LIVE, approver="coordinator", decided_by="per_clara"), Conflict),
        (replace(LIVE, approver="customer", decided_by="cus_acme"), Conflict),
        (replace(LIVE, approver="coordinator", review_id="rev_1"), Conflict),
        (replace(LIVE, expires_at=NOW + 230 * MINUTE), Conflict),
    ],
)
def test_what_has_not_begun_is_over_or_took_a_yes_is_not_made_longer(
    held: Held, error: type[VaultError]
) -> None:
    with pytest.raises(error):
        extended_end(held, 1, LONGEST, OVER, NOW)
    assert room_left(held, LONGEST, OVER, NOW) == 0


@pytest.mark.promise("P4")
@given(
    minutes=st.integers(-5, 400),
    lasts=st.integers(1, 300),
    passed=st.integers(0, 299),
    longest=st.integers(5, 300),
    over=st.integers(1, 600),
)
def test_however_it_is_made_longer_it_is_never_longer_than_it_may_be(
    minutes: int, lasts: int, passed: int, longest: int, over: int
) -> None:
    starts = NOW - passed * MINUTE
    held = replace(HELD, starts_at=starts, expires_at=starts + lasts * MINUTE)
    over_at = starts + over * MINUTE
    room = room_left(held, longest, over_at, NOW)
    try:
        ends = extended_end(held, minutes, longest, over_at, NOW)
    except (Ended, Conflict, Invalid):
        assert not 1 <= minutes <= room
        return
    assert 1 <= minutes <= room
    assert ends - held.expires_at == minutes * MINUTE
    assert ends <= min(starts + longest * MINUTE, over_at)


# -- broken glass and a yes -------------------------------------------------------------------------------------------


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
@pytest.mark.parametrize(
    ("approver", "opens"), [("coordinator", True), ("customer", False)], ids=["a coordinator's", "theirs"]
)
def test_broken_glass_stands_for_a_coordinators_yes_and_never_for_the_customers(
    approver: str, opens: bool
) -> None:
    broken = replace(LIVE, approver=approver, review_id="rev_1")
    delivery = replace(DELIVERING, service_ends_at=OVER)
    if opens:
        return require_live(broken, "sec_one", delivery, NOW)
    with pytest.raises(Denied, match="nobody else has said yes"):
        require_live(broken, "sec_one", delivery, NOW)
    return None


@pytest.mark.parametrize("other", [(0, 1), (9, 10), (20, 30), (5, 10)])
def test_what_only_touches_does_not_overlap(other: tuple[int, int]) -> None:
    assert not overlap((10, 20), other)
    assert not overlap(other, (10, 20))
    assert overlap((10, 20), (19, 21))
    assert overlap((10, 20), (0, 30))


# -- too many in a day ------------------------------------------------------------------------------------------------


def by_every_span(begun: Collection[tuple[str, int]], service: str, at: int) -> int:
    """The same, by trying every span of 24 hours that `at` is in, an hour at a time."""
    most = 0
    for since in range(at - DAY + HOUR, at + HOUR, HOUR):
        others = {one for one, moment in begun if since <= moment < since + DAY}
        if service not in others:
            most = max(most, len(others) + 1)
    return most


@pytest.mark.attack("AZ24")
@given(begun=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(-40, 40)), max_size=12))
def test_each_new_service_counts_in_whatever_24_hours_it_falls(begun: list[tuple[str, int]]) -> None:
    moments = [(service, NOW + hours * HOUR) for service, hours in begun]
    assert busiest(moments, "a", NOW) == by_every_span(moments, "a", NOW)


@pytest.mark.attack("AZ24")
def test_planned_for_tomorrow_is_counted_and_the_same_service_is_no_other() -> None:
    today = [(f"svc_{at}", NOW) for at in range(10)]
    assert busiest(today, "svc_10", NOW) == 11
    assert busiest(today, "svc_9", NOW) == 0, "that one is open already"
    assert busiest(today, "svc_10", NOW + DAY - 1) == 11
    assert busiest(today, "svc_10", NOW + DAY) == 1
    planned = [(f"svc_{at}", NOW + 20 * HOUR) for at in range(10)]
    assert busiest(planned, "svc_10", NOW) == 11


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ24")
@pytest.mark.parametrize("by_catalogue", get_args(Approver))
def test_too_many_or_alone_takes_a_coordinators_yes_and_a_stricter_one_stays(by_catalogue: Approver) -> None:
    stricter = "customer" if by_catalogue == "customer" else "coordinator"
    assert needed(by_catalogue, services=10, services_a_day=10, alone=False) == (by_catalogue, "")
    assert needed(by_catalogue, services=11, services_a_day=10, alone=False) == (stricter, "services a day")
    assert needed(by_catalogue, services=1, services_a_day=10, alone=True) == (stricter, "alone")
