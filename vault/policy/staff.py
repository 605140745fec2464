"""Who of the staff may do what. Pure: facts in, verdict out; nothing means no."""

from dataclasses import dataclass

from vault.errors import Denied, NotSignedIn


@dataclass(frozen=True)
class Standing:
    """How a person stands at this moment, read in the transaction of the deed."""

    id: str
    role: str
    active: bool
    agreed: bool
    """Has accepted the confidentiality agreement that is in force now."""


def require_role(standing: Standing, *roles: str) -> None:
    """Refuse whoever is disabled or has none of these roles. Raises NotSignedIn or Denied."""
    if not standing.active:
        raise NotSignedIn("this account is disabled")
    if standing.role not in roles:
        raise Denied("your role does not do this")


def require_agreement(standing: Standing) -> None:
    """Refuse whoever has not accepted the agreement in force. Raises Denied."""
    if not standing.agreed:
        raise Denied("accept the confidentiality agreement that is in force first")


def require_customer_data(standing: Standing, *roles: str) -> None:
    """Refuse whoever may not see customers' data: role and agreement. Raises NotSignedIn or Denied."""
    require_role(standing, *roles)
    require_agreement(standing)
