"""How often something may be tried before it waits. Pure."""

from ipaddress import IPv6Address, ip_address

from vault.values import MINUTE

WINDOW = 15 * MINUTE
LIMITS = {
    "account": 10,
    "browser": 10,
    "code": 10,
    "source": 100,
    "everybody": 1000,
    "asking": 300,
    "enrol": 30,
    "intake": 30,
    "form": 60,
    "speak": 20,
    "visit": 5,
    "alert": 20,
    "delivery": 20,
    "helpdesk": 1000,
    "registering": 30,
}
"""Tries in a window, by what is counted: an account, a known browser, a person's proofs for deeds, a network address,
all strangers together, what one address asks passkeys, codes of invitations and devices, intake codes, what one form
hands in, how often one form changes its language, codes mailed for one customer's page, entries about limits that
nobody in particular has reached, one message of a helpdesk that is refused, all that one helpdesk says that is new,
services that one helpdesk registers."""


def allowed(counts: dict[str, int]) -> bool:
    """Whether every counted key is still under the limit of its sort; a key is `sort:what`. An unknown sort is none."""
    return all(count <= LIMITS.get(key.partition(":")[0], 0) for key, count in counts.items())


def neighbourhood(source: str) -> str:
    """What a network address is counted by: itself, and of IPv6 the /64, of which one customer has 2^64 addresses."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if not isinstance(address, IPv6Address):
        return source
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
