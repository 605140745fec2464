"""Zammad, which hosts of web services run themselves: its webhook with the default payload, fired by a trigger.

Chosen because it names people by their mail address and tells the whole state of a ticket each time. Its signature is
HMAC-SHA1 over the body alone (the header X-Hub-Signature of WebSub, section 7); HMAC does not lean on the collisions of
SHA-1, but neither a time nor the delivery's id is among what is signed. So both are taken from the body: the time is
the ticket's own `updated_at`, and the id is the body's hash. X-Zammad-Delivery and X-Zammad-Trigger are not looked at.

Source: Zammad's administrator documentation, "Webhook" and "Webhook Payload"; for the spelling of the header and for
retries within two minutes, its sources lib/user_agent.rb and app/jobs/trigger_webhook_job.rb. Zammad leaves the service
to us: a ticket attribute named `valetkey_service`, which its administrators add, holds the name of the service.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from vault.errors import Invalid
from vault.helpdesk.adapter import (
    Adapter,
    Headers,
    adapter,
    address,
    member,
    moment,
    one,
    read_object,
    text,
    unsigned,
)
from vault.helpdesk.events import Closed, Delivery, Event, Opened, Owned, Ticket
from vault.values import SECOND

ATTRIBUTE = "valetkey_service"
OVER = frozenset({"closed", "merged", "removed"})
"""The states in which nobody works on a ticket, by the names that Zammad gives them."""
SAME_CHANGE = 2 * SECOND
_SIGNATURE = re.compile(r"sha1=([0-9a-f]{40})", re.ASCII)


@adapter("zammad", "Zammad")
class Zammad(Adapter):
    """Tells how a ticket is: open or closed, and whose."""

    def opened(self, keys: Sequence[bytes], headers: Headers, body: bytes) -> Delivery:
        """As `Adapter.opened`: the body's hash stands for the id that is not signed."""
        given = _SIGNATURE.fullmatch(one(headers, "x-hub-signature"))
        good = [hmac.digest(key, body, "sha1").hex() for key in keys]
        if given is None or not sum(hmac.compare_digest(one_of, given[1]) for one_of in good):
            raise unsigned()
        ticket = member(read_object(body), "ticket")
        return Delivery(sha256(body).hexdigest(), moment(ticket, "updated_at", "/ticket"), body)

    def events(self, delivery: Delivery) -> tuple[Event, ...]:
        """As `Adapter.events`: what the ticket's state comes to. A ticket that names no service is none of ours."""
        said = member(read_object(delivery.body), "ticket")
        if not said.get(ATTRIBUTE):
            return ()
        ticket = Ticket(
            _number(said, "id"),
            text(said, ATTRIBUTE, "/ticket", 80),
            text(said, "number", "/ticket", 40),
            text(said, "title", "/ticket")[:120],
        )
        if _state(said) in OVER:
            return (Closed(delivery.sent_at, ticket),)
        owner, by = _mail(said.get("owner")), _mail(said.get("updated_by")) if _owner_is_new(said) else ""
        return (Opened(delivery.sent_at, ticket, "state"), Owned(delivery.sent_at, ticket, owner, by))


def _number(said: Mapping[str, object], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise Invalid("this must be a whole number", f"/ticket/{name}")
    return str(found)


def _state(said: Mapping[str, object]) -> str:
    """Its name: the payload has it as a text, and as an object where somebody wrote the payload themselves."""
    state = said.get("state")
    return text(state, "name", "/ticket/state") if isinstance(state, dict) else text(said, "state", "/ticket")


def _mail(person: object) -> str:
    """Somebody's address; nothing for nobody, whom Zammad calls "-", nor for an address that we could not write to."""
    try:
        return address(person, "email") if isinstance(person, dict) else ""
    except Invalid:
        return ""


def _owner_is_new(said: Mapping[str, object]) -> bool:
    """Whether who changed the ticket last is who chose its owner: both were written down at the same moment.

    The payload has no word of who chose the owner. Later changes have another author, who must not pass for one.
    """
    if said.get("last_owner_update_at") is None:
        return False
    chosen = moment(said, "last_owner_update_at", "/ticket")
    return abs(moment(said, "updated_at", "/ticket") - chosen) <= SAME_CHANGE
