"""P2, P4, P7 as tables: facts in, verdict out."""

from dataclasses import replace

import pytest

from vault.errors import (
    Conflict,
    Denied,
    Ended,
    Invalid,
    NotAgreed,
    NotFound,
    NotSignedIn,
    Resting,
    VaultError,
)
from vault.policy.access import (
    Delivery,
    Held,
    lease_end,
    require_delivery,
    require_kinds,
    require_live,
    require_open_service,
    require_openable,
)
from vault.policy.rights import Standing
from vault.values import MINUTE

NOW = 1_800_000_000_000_000
TECHNICIAN = frozenset({"technician"})
TOM = Standing("per_tom", TECHNICIAN, "active", agreed=True, rested=True)
DELIVERING = Delivery(
    TOM, assigned=True, ticket_open=True, service_open=True, service_ends_at=NOW + 1, paused=False
)
HELD = Held(
    "per_tom", "active", expires_at=NOW + 1, covers=("sec_one", "sec_two"), approver="", decided_by=""
)
REFUSALS = [
    ({"standing": replace(TOM, state="disabled")}, NotSignedIn),
    ({"standing": replace(TOM, roles=frozenset({"coordinator"}))}, Denied),
    ({"standing": replace(TOM, roles=frozenset({"auditor"}))}, Denied),
    ({"standing": replace(TOM, roles=frozenset({"administrator"}))}, Denied),
    ({"standing": replace(TOM, roles=frozenset())}, Denied),
    ({"standing": replace(TOM, agreed=False)}, NotAgreed),
    ({"standing": replace(TOM, rested=False)}, Resting),
    ({"standing": replace(TOM, scopes=frozenset())}, Denied),
    ({"assigned": False}, NotFound),
    ({"service_open": False}, Ended),
    ({"service_ends_at": NOW}, Ended),
    ({"ticket_open": False}, Ended),
    ({"paused": True}, Denied),
]


@pytest.mark.promise("P2")
def test_who_delivers_the_service_may() -> None:
    require_delivery(DELIVERING, NOW)
    require_live(HELD, "sec_one", DELIVERING, NOW)
    require_live(HELD, "sec_two", DELIVERING, NOW)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ22")
@pytest.mark.parametrize(("change", "error"), REFUSALS)
def test_one_missing_fact_is_enough_for_no(change: dict[str, object], error: type[VaultError]) -> None:
    without = replace(DELIVERING, **change)  # type: ignore[arg-type]
    for judge in (
        lambda: require_delivery(without, NOW),
        lambda: require_live(HELD, "sec_one", without, NOW),
    ):
        with pytest.raises(VaultError) as caught:
            judge()
        assert type(caught.value) is error


@pytest.mark.promise("P2", "P4")
@pytest.mark.parametrize(
    ("held", "secret", "error"),
    [
        (replace(HELD, person_id="per_ann"), "sec_one", NotFound),
        (replace(HELD, state="ended"), "sec_one", Ended),
        (replace(HELD, expires_at=NOW), "sec_one", Ended),
        (replace(HELD, expires_at=NOW - 1), "sec_one", Ended),
        (HELD, "sec_three", NotFound),
        (replace(HELD, covers=()), "sec_one", NotFound),
        (HELD, "", NotFound),
    ],
)
def test_a_lease_opens_for_its_holder_while_it_lives_and_what_it_covers(
    held: Held, secret: str, error: type[VaultError]
) -> None:
    with pytest.raises(VaultError) as caught:
        require_live(held, secret, DELIVERING, NOW)
    assert type(caught.value) is error


@pytest.mark.attack("AZ08")
def test_another_persons_lease_looks_like_none_even_to_who_may_nothing() -> None:
    """The holder is asked for first: a stranger learns neither that it ended nor that it exists."""
    ann = replace(TOM, id="per_ann", roles=frozenset({"auditor"}))
    stranger = replace(DELIVERING, standing=ann, service_open=False)
    with pytest.raises(NotFound, match="there is no such thing"):
        require_live(replace(HELD, state="ended"), "sec_one", stranger, NOW)


@pytest.mark.promise("P4")
@pytest.mark.parametrize(
    ("minutes", "service_left", "expected"),
    [(1, 1000, 1), (30, 1000, 30), (240, 1000, 240), (240, 239, 239), (30, 1, 1)],
)
def test_a_lease_ends_as_asked_and_never_after_its_service(
    minutes: int, service_left: int, expected: int
) -> None:
    assert lease_end(minutes, 240, NOW + service_left * MINUTE, NOW) == NOW + expected * MINUTE


@pytest.mark.promise("P4")
@pytest.mark.parametrize("minutes", [-1, 0, 241, 10**30])
def test_a_lease_is_never_longer_than_its_service_type_allows(minutes: int) -> None:
    with pytest.raises(Invalid, match="1 to 240 minutes") as caught:
        lease_end(minutes, 240, NOW + 1000 * MINUTE, NOW)
    assert caught.value.pointer == "/minutes"


@pytest.mark.parametrize(
    ("state", "error"),
    [(s, Conflict) for s in ("awaited", "given", "refused", "purged", "", "CHECKED")],
)
def test_only_what_passed_the_check_is_lent(state: str, error: type[VaultError]) -> None:
    with pytest.raises(error):
        require_openable(state)
    require_openable("checked")


@pytest.mark.promise("P4")
def test_nothing_begins_on_a_service_at_its_end() -> None:
    require_open_service(is_open=True, ends_at=NOW + 1, now=NOW)
    for is_open, ends_at in ((True, NOW), (True, NOW - 1), (False, NOW + 1)):
        with pytest.raises(Ended):
            require_open_service(is_open=is_open, ends_at=ends_at, now=NOW)


@pytest.mark.promise("P7")
def test_a_customer_is_asked_for_what_the_type_names_and_nothing_else() -> None:
    allowed = {"ssh-password", "ssh-key"}
    require_kinds(["ssh-key"], allowed)
    require_kinds(["ssh-key", "ssh-password"], allowed)
    for asked in ([], ["ssh-key", "registrar"], [""], ["payment-provider"]):
        with pytest.raises(Denied):
            require_kinds(asked, allowed)
    with pytest.raises(Denied):
        require_kinds(["ssh-key"], set())
