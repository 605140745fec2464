"""Whose yes a lease takes, to what exactly, and who may say it: as tables."""

from dataclasses import fields, replace

import pytest

from vault.errors import Conflict, Denied, Ended, Invalid, VaultError
from vault.policy.access import Delivery, Held, require_live
from vault.policy.approval import (
    MOST_ASKED,
    STRICTER,
    Approver,
    Asked,
    approver_by,
    approver_of,
    require_room,
    require_same,
    require_strict_enough,
    require_waiting,
    require_wanted,
    why_not,
)
from vault.policy.rights import Standing
from vault.policy.vouching import WEEK, Account

NOW = 1_800_000_000_000_000
TOM = Standing("per_tom", frozenset({"technician"}), "active", agreed=True, rested=True)
DELIVERING = Delivery(
    TOM, assigned=True, ticket_open=True, service_open=True, service_ends_at=NOW + 1, paused=False
)
ASKED = Asked("lse_1", "tkt_1", "per_tom", ("sec_1", "sec_2"), 30, "install the shop as ordered")
OTHERS = {
    "lease": "lse_2",
    "ticket": "tkt_2",
    "person": "per_tim",
    "secrets": ("sec_1",),
    "minutes": 31,
    "reason": "install the shop as ordered.",
    "begins_at": NOW,
}


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
@pytest.mark.parametrize("name", [field.name for field in fields(Asked)])
def test_a_yes_to_anything_else_is_another_yes(name: str) -> None:
    other = replace(ASKED, **{name: OTHERS[name]})  # type: ignore[arg-type]
    require_same(ASKED, replace(ASKED).digest)
    with pytest.raises(Conflict, match="changed meanwhile"):
        require_same(ASKED, other.digest)


@pytest.mark.attack("AZ11")
def test_nothing_moves_from_one_part_of_what_is_asked_to_the_next() -> None:
    assert replace(ASKED, secrets=("sec_2", "sec_1")).digest != ASKED.digest
    assert replace(ASKED, reason=ASKED.reason + "sec_1", secrets=("sec_2",)).digest != ASKED.digest
    assert ASKED.reason not in repr(ASKED)


@pytest.mark.promise("P2", "P7")
@pytest.mark.parametrize(
    ("line", "extraordinary", "approved", "expected"),
    [
        ("", False, False, ""),
        ("coordinator", False, False, "coordinator"),
        ("customer", False, False, "customer"),
        ("", True, True, "customer"),
        ("", True, False, "customer"),
        ("coordinator", True, False, "customer"),
        ("coordinator", True, True, "coordinator"),
        ("customer", True, False, "customer"),
        ("customer", True, True, "customer"),
    ],
)
def test_what_is_extraordinary_takes_the_customers_yes_unless_an_approved_line_says_otherwise(
    line: Approver, expected: Approver, *, extraordinary: bool, approved: bool
) -> None:
    assert approver_by(line, extraordinary=extraordinary, approved=approved) == expected


@pytest.mark.promise("P2")
def test_a_lease_takes_the_yes_that_any_of_its_secrets_takes_and_one_persons() -> None:
    assert approver_of([]) == approver_of(["", ""]) == ""
    assert approver_of(["", "customer", ""]) == "customer"
    assert approver_of(["coordinator", "coordinator"]) == "coordinator"
    with pytest.raises(Invalid, match="check these out one by one") as caught:
        approver_of(["coordinator", "", "customer"])
    assert caught.value.pointer == "/secrets"


@pytest.mark.promise("P2")
@pytest.mark.parametrize("asked_of", STRICTER)
@pytest.mark.parametrize("by_now", STRICTER)
def test_the_stricter_of_two_catalogues_counts(asked_of: str, by_now: str) -> None:
    strict = {"": 0, "coordinator": 1, "customer": 2}
    if strict[by_now] <= strict[asked_of]:
        require_strict_enough(asked_of, by_now)
    else:
        with pytest.raises(Conflict, match="another person's yes"):
            require_strict_enough(asked_of, by_now)


def test_only_so_many_wait_for_one_person() -> None:
    require_room(MOST_ASKED - 1)
    with pytest.raises(Conflict):
        require_room(MOST_ASKED)


@pytest.mark.promise("P4")
def test_it_waits_until_its_end_and_not_at_it() -> None:
    require_waiting("asked", NOW + 1, NOW)
    for state, until in (("asked", NOW), ("active", NOW + 1), ("ended", NOW + 1), ("", NOW + 1)):
        with pytest.raises(Ended):
            require_waiting(state, until, NOW)


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"standing": replace(TOM, state="disabled")}, Denied),
        ({"standing": replace(TOM, roles=frozenset({"auditor"}))}, Denied),
        ({"standing": replace(TOM, agreed=False)}, Denied),
        ({"standing": replace(TOM, rested=False)}, Denied),
        ({"assigned": False}, Ended),
        ({"ticket_open": False}, Ended),
        ({"service_open": False}, Ended),
        ({"service_ends_at": NOW}, Ended),
        ({"paused": True}, Denied),
    ],
)
def test_who_asked_is_judged_for_whoever_decides(change: dict[str, object], error: type[VaultError]) -> None:
    require_wanted(DELIVERING, NOW)
    with pytest.raises(VaultError) as caught:
        require_wanted(replace(DELIVERING, **change), NOW)  # type: ignore[arg-type]
    assert type(caught.value) is error, (
        "and never NotSignedIn, NotAgreed or Resting, which are about the asker"
    )


def account(name: str, made_by: str = "host", made_at: int = NOW) -> Account:
    return Account(name, administrator=False, rests_until=0, made_by=made_by, made_at=made_at)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11")
@pytest.mark.parametrize(
    ("approver", "asker", "said"),
    [
        (account("clara"), account("clara"), "asked for it yourself"),
        (account("clara"), account("tom"), ""),
        (account("clara", "tom"), account("tom"), "added by the other"),
        (account("clara"), account("tom", "clara"), "added by the other"),
        (account("clara", "ada"), account("tom", "ada"), "both by the same person"),
        (account("clara", "eve"), account("tom"), "added by the other"),
        (account("clara", "tom", NOW - WEEK), account("tom"), ""),
        (account("clara", "ada"), account("tom", "ada", NOW - WEEK), ""),
    ],
)
def test_who_may_be_one_person_says_no_yes_within_a_week(
    approver: Account, asker: Account, said: str
) -> None:
    accounts = {one.id: one for one in (account("ada"), account("eve", "tom"), approver, asker)}
    reason = why_not(approver, asker, accounts, NOW)
    assert said in reason
    assert bool(reason) == bool(said)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ11", "AZ12")
@pytest.mark.parametrize("decided_by", ["", "per_tom"])
def test_at_each_reveal_somebody_else_has_said_yes(decided_by: str) -> None:
    held = Held("per_tom", "active", NOW + 1, ("sec_1",), approver="coordinator", decided_by="")
    require_live(replace(held, decided_by="per_clara"), "sec_1", DELIVERING, NOW)
    with pytest.raises(Denied, match="nobody else has said yes"):
        require_live(replace(held, decided_by=decided_by), "sec_1", DELIVERING, NOW)
    waiting = replace(held, state="asked")
    with pytest.raises(Conflict, match="waits for another person's yes"):
        require_live(waiting, "sec_1", DELIVERING, NOW)
    with pytest.raises(Ended):
        require_live(replace(waiting, expires_at=NOW), "sec_1", DELIVERING, NOW)
