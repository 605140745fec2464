"""Who may do what: nothing means no."""

from itertools import combinations, product

import pytest

from vault.errors import Denied, NotAgreed, NotSignedIn, Resting, VaultError
from vault.policy.rights import RIGHTS, SCOPES, Standing, go_together, require

ROLES = ("technician", "coordinator", "auditor", "administrator")
TOGETHER = [{"technician"}, {"coordinator"}, {"technician", "coordinator"}, {"auditor"}, {"administrator"}]


def standing(*roles: str, **facts: object) -> Standing:
    said: dict[str, object] = {"state": "active", "agreed": True, "rested": True} | facts
    return Standing("per_x", frozenset(roles), **said)  # type: ignore[arg-type]


def verdict(asker: Standing, right: str) -> type[VaultError] | None:
    try:
        require(asker, right)
    except VaultError as refusal:
        return type(refusal)
    return None


def every_combination() -> list[frozenset[str]]:
    return [frozenset(some) for size in range(5) for some in combinations(ROLES, size)]


@pytest.mark.attack("AZ06")
def test_roles_that_break_the_separation_of_duties_do_not_go_together() -> None:
    assert [set(some) for some in every_combination() if go_together(some)] == [
        some for some in (set(c) for c in every_combination()) if some in TOGETHER
    ]
    assert not go_together({"technician", "root"})


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01", "AZ22")
@pytest.mark.parametrize("right", RIGHTS)
def test_a_right_is_for_its_roles_in_their_state_and_for_nobody_else(right: str) -> None:
    rule = RIGHTS[right]
    for roles, state, agreed, rested in product(
        every_combination(), ("active", "invited", "disabled", ""), (True, False), (True, False)
    ):
        expected: type[VaultError] | None = None
        if state != "active":
            expected = NotSignedIn
        elif not go_together(roles) or not roles & rule.roles:
            expected = Denied
        elif rule.customers and not agreed:
            expected = NotAgreed
        elif rule.rested and not rested:
            expected = Resting
        asker = standing(*roles, state=state, agreed=agreed, rested=rested)
        assert verdict(asker, right) is expected, (roles, state, agreed, rested)


@pytest.mark.attack("AN26")
@pytest.mark.parametrize("right", RIGHTS)
def test_a_token_does_what_its_scope_says_within_what_its_person_may(right: str) -> None:
    rule = RIGHTS[right]
    for scopes in ((), *((scope,) for scope in SCOPES), tuple(SCOPES)):
        for role in ROLES:
            may = verdict(standing(role, scopes=frozenset(scopes)), right) is None
            assert may == (role in rule.roles and (rule.scope == "*" or rule.scope in scopes))


def test_what_opens_changes_accounts_or_takes_presence_has_no_scope() -> None:
    closed = {name for name, rule in RIGHTS.items() if rule.presence or rule.rested or rule.second}
    assert {"secret.reveal", "lease.start", "account.change", "token.make", "staff.vouch"} <= closed
    assert not [name for name in closed if RIGHTS[name].scope]
    assert {rule.scope for rule in RIGHTS.values()} - {"", "*"} == set(SCOPES), "a scope that nothing needs"


def test_a_right_that_is_not_in_the_table_is_a_fault_and_no_yes() -> None:
    with pytest.raises(KeyError):
        require(standing("coordinator"), "customer.burn")
