"""When a lease begins without the yes it takes, as a table: nobody answers, and nobody has said no."""

from dataclasses import fields, replace

import pytest

from vault.errors import Conflict, Denied, VaultError
from vault.policy.access import Delivery, Held, require_live
from vault.policy.glass import WAITED, Glass, end_of, require_breakable, require_over, why_not_review
from vault.policy.rights import Standing
from vault.policy.vouching import WEEK, Account
from vault.values import DAY, MINUTE

NOW = 1_800_000_000_000_000
WHOLE = Glass(
    approver="coordinator",
    asked_at=NOW,
    begins_at=None,
    minutes=30,
    extraordinary=False,
    doubted=False,
    refused=False,
    answerable=False,
    witnessed=True,
    unreviewed=False,
    unjustified=False,
)


@pytest.mark.promise("P2")
def test_the_glass_can_be_broken_at_once_where_nobody_could_answer() -> None:
    require_breakable(WHOLE, NOW)


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"approver": "customer"}, Denied, "nothing stands in its place"),
        ({"approver": ""}, Denied, "nothing stands in its place"),
        ({"extraordinary": True}, Denied, "more than a server"),
        ({"minutes": 0}, Denied, "lets nobody break the glass"),
        ({"doubted": True}, Denied, "never replaced"),
        ({"begins_at": NOW + 1}, Conflict, "planned for later"),
        ({"refused": True}, Denied, "somebody has"),
        ({"unreviewed": True}, Denied, "nobody has reviewed"),
        ({"unjustified": True}, Denied, "should not have broken"),
        ({"witnessed": False}, Denied, "could review it"),
        ({"answerable": True}, Conflict, "15 minutes"),
    ],
)
def test_each_thing_that_stands_in_the_way_is_enough(
    change: dict[str, object], error: type[VaultError], said: str
) -> None:
    with pytest.raises(error, match=said):
        require_breakable(replace(WHOLE, **change), NOW)  # type: ignore[arg-type]


def test_every_fact_was_looked_at() -> None:
    """The canary: a fact that is added later has to have its line above."""
    above = {"approver", "extraordinary", "minutes", "doubted", "begins_at", "refused", "unreviewed"}
    assert {one.name for one in fields(Glass)} == above | {
        "unjustified",
        "witnessed",
        "answerable",
        "asked_at",
    }


@pytest.mark.promise("P2")
@pytest.mark.parametrize(("waited", "may"), [(0, False), (WAITED - 1, False), (WAITED, True)])
def test_who_could_answer_is_given_a_quarter_of_an_hour(waited: int, *, may: bool) -> None:
    glass = replace(WHOLE, answerable=True)
    if may:
        require_breakable(glass, NOW + waited)
    else:
        with pytest.raises(Conflict):
            require_breakable(glass, NOW + waited)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
@pytest.mark.parametrize(
    "change", [{"refused": True}, {"doubted": True}, {"unreviewed": True}, {"approver": "customer"}]
)
def test_waiting_breaks_nothing_else(change: dict[str, object]) -> None:
    glass = replace(WHOLE, answerable=True, **change)  # type: ignore[arg-type]
    with pytest.raises(Denied):
        require_breakable(glass, NOW + 30 * DAY)


def test_what_was_planned_for_now_is_needed_now() -> None:
    require_breakable(replace(WHOLE, begins_at=NOW), NOW)


@pytest.mark.promise("P4")
def test_it_lasts_as_long_as_the_shorter_of_both() -> None:
    assert end_of(NOW + 240 * MINUTE, 30, NOW) == NOW + 30 * MINUTE
    assert end_of(NOW + 5 * MINUTE, 30, NOW) == NOW + 5 * MINUTE


def account(name: str, made_by: str = "host", made_at: int = NOW - 10 * WEEK) -> Account:
    return Account(name, administrator=False, rests_until=0, made_by=made_by, made_at=made_at)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
def test_nobody_reviews_their_own_by_whatever_name() -> None:
    tom, clara = account("per_tom"), account("per_clara")
    second = account("per_second", made_by="per_tom", made_at=NOW - WEEK + 1)
    accounts = {one.id: one for one in (tom, clara, second)}
    assert why_not_review(clara, tom, accounts, NOW) == ""
    assert "your own" in why_not_review(tom, tom, accounts, NOW)
    assert "within the last week" in why_not_review(second, tom, accounts, NOW)
    assert "within the last week" in why_not_review(tom, second, accounts, NOW)
    assert why_not_review(second, tom, accounts, NOW + WEEK) == ""


@pytest.mark.promise("P2")
def test_nothing_is_called_justified_before_it_is_over() -> None:
    require_over(is_over=True, is_seen=True, verdict="justified")
    with pytest.raises(Conflict, match="more was opened than you have seen"):
        require_over(is_over=True, is_seen=False, verdict="justified")
    for is_over in (True, False):
        require_over(is_over=is_over, is_seen=False, verdict="not justified")
    with pytest.raises(Conflict, match="still runs"):
        require_over(is_over=False, is_seen=True, verdict="justified")


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
@pytest.mark.parametrize(
    ("approver", "decided_by", "review_id", "opens"),
    [
        ("coordinator", "", "rev_1", True),
        ("coordinator", "", "", False),
        ("coordinator", "per_tom", "", False),
        ("customer", "", "rev_1", False),
        ("customer", "per_tom", "rev_1", False),
        ("customer", "cus_acme", "", True),
    ],
)
def test_a_review_stands_for_a_coordinators_yes_and_never_for_the_customers(
    approver: str, decided_by: str, review_id: str, *, opens: bool
) -> None:
    tom = Standing("per_tom", frozenset({"technician"}), "active", agreed=True, rested=True)
    delivery = Delivery(
        tom, assigned=True, ticket_open=True, service_open=True, service_ends_at=NOW + 2, paused=False
    )
    held = Held(
        person_id="per_tom",
        state="active",
        expires_at=NOW + 1,
        covers=("sec_1",),
        approver=approver,
        decided_by=decided_by,
        review_id=review_id,
    )
    if opens:
        require_live(held, "sec_1", delivery, NOW)
    else:
        with pytest.raises(Denied, match="nobody else has said yes"):
            require_live(held, "sec_1", delivery, NOW)
