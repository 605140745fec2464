"""Who may do what: nothing means no."""

from itertools import product

import pytest

from vault.errors import Denied, NotSignedIn, VaultError
from vault.policy.staff import Standing, require_agreement, require_customer_data, require_role

ROLES = ("technician", "coordinator", "auditor", "administrator")


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01", "AZ22")
@pytest.mark.parametrize(("role", "asked"), list(product((*ROLES, "", "Technician"), ROLES)))
def test_a_role_does_what_it_is_named_for_and_nothing_else(role: str, asked: str) -> None:
    for active, agreed in product((True, False), repeat=2):
        standing = Standing("per_x", role, active=active, agreed=agreed)
        expected: type[VaultError] | None = None
        if not active:
            expected = NotSignedIn
        elif role != asked:
            expected = Denied
        _judged(lambda s=standing: require_role(s, asked), expected)
        if expected is None and not agreed:
            expected = Denied
        _judged(lambda s=standing: require_customer_data(s, asked), expected)


def _judged(judge: object, expected: type[VaultError] | None) -> None:
    if expected is None:
        judge()  # type: ignore[operator]
        return
    with pytest.raises(VaultError) as caught:
        judge()  # type: ignore[operator]
    assert type(caught.value) is expected


def test_no_role_named_means_nobody() -> None:
    for role in ROLES:
        with pytest.raises(Denied):
            require_role(Standing("per_x", role, active=True, agreed=True))


def test_without_the_agreement_nothing_of_customers_is_seen() -> None:
    require_agreement(Standing("per_x", "technician", active=True, agreed=True))
    with pytest.raises(Denied, match="confidentiality agreement"):
        require_agreement(Standing("per_x", "technician", active=True, agreed=False))
