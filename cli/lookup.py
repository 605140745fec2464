"""Names that people know, found in what the server lists: a ticket by its number, a person by mail."""

import re
from typing import Any

from cli.http import Client
from vault.errors import Invalid, NotFound

API = "/api/v1"
_LISTS = {
    "ticket": "valetkey tickets lists yours",
    "customer": "valetkey customer list, or first: valetkey customer add NAME MAIL",
    "person": "give the mail address that they sign in with",
}


def ticket_id(client: Client, given: str) -> str:
    """Find a ticket by its id or its number. Raises NotFound or Invalid if not exactly one has it."""
    return _one(given, "tkt_", "number", "ticket", lambda: client.get(f"{API}/tickets"))


def customer_id(client: Client, given: str) -> str:
    """Find a customer by id or mail address. Raises as `ticket_id`."""
    return _one(given, "cus_", "mail", "customer", lambda: client.get(f"{API}/customers"))


def person_id(client: Client, given: str) -> str:
    """Find one of the staff by id or mail address. Raises as `ticket_id`."""
    return _one(given, "per_", "mail", "person", lambda: client.get(f"{API}/people"))


def typable(number: str, its_id: str) -> str:
    """A ticket as a command names it: its number where a shell takes that for one word and no option, else its id."""
    safe = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", number)
    return number if safe else its_id


def _one(given: str, prefix: str, field: str, what: str, listed: Any) -> str:
    if given.startswith(prefix):
        return given
    wanted = given.strip().casefold()
    found = [row["id"] for row in listed() if str(row[field]).casefold() == wanted]
    if not found:
        raise NotFound(f"there is no such {what} that you may see").hinting(_LISTS[what])
    if len(found) > 1:
        raise Invalid(f"there are several; name the {what} by its id").hinting(", ".join(map(str, found)))
    return str(found[0])
