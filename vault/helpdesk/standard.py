"""Any helpdesk, or a few lines of script beside one, that signs as Standard Webhooks says.

The library of the same name is not used: it takes its time from the host and not from the vault's clock, reads a
time as a float, decodes base64 leniently, and lets errors of its own escape on a header that is bent. All of its rules
that matter are here, and its published vector is among the tests. Source: Standard Webhooks 1.0.0, the sections
"Signature scheme", "Webhook headers" and "Verifying signatures".
"""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence

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
from vault.helpdesk.events import (
    Assigned,
    Closed,
    Delivery,
    Ended,
    Event,
    Opened,
    Registered,
    Ticket,
    Unassigned,
)
from vault.values import SECOND, Moment

PREFIX = "whsec_"
KEY_BYTES = 32
MOST_SIGNATURES = 20
"""Under which keys a sender signs at once while it changes them: two, hardly ever more."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
"""Without a full stop, which is what divides the signed parts."""
_SECONDS = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)
_SIGNATURE = re.compile(r"v1,([A-Za-z0-9+/]{43}=)", re.ASCII)


@adapter("standard", "any helpdesk, by Standard Webhooks")
class Standard(Adapter):
    """Signed over id, time and body with HMAC-SHA256; `type`, `timestamp` and `data` in the body."""

    def new_secret(self) -> str:
        """`whsec_` and 32 random bytes in base64."""
        return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()

    def key_of(self, secret: str) -> bytes:
        """The bytes behind `whsec_`. Raises NotSignedIn for what is no such secret."""
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (ValueError, binascii.Error):
            raise unsigned() from None

    def opened(self, keys: Sequence[bytes], headers: Headers, body: bytes) -> Delivery:
        """As `Adapter.opened`: the time is that of the attempt, in a header that the signature covers."""
        message, sent = one(headers, "webhook-id"), one(headers, "webhook-timestamp")
        given = one(headers, "webhook-signature").split(" ")
        if not _ID.fullmatch(message) or not _SECONDS.fullmatch(sent) or len(given) > MOST_SIGNATURES:
            raise unsigned()
        signed = f"{message}.{sent}.".encode() + body
        good = [signature(key, signed) for key in keys]
        found = [made[1] for made in map(_SIGNATURE.fullmatch, given) if made]
        # every pair is compared, so that the time says nothing of which one it was
        if not sum(hmac.compare_digest(one_of, made) for one_of in good for made in found):
            raise unsigned()
        return Delivery(message, Moment(int(sent) * SECOND), body)

    def events(self, delivery: Delivery) -> tuple[Event, ...]:
        """As `Adapter.events`. A type that is not ours says nothing to us."""
        said = read_object(delivery.body)
        kind, at = text(said, "type", longest=60), moment(said, "timestamp")
        match kind:
            case "ticket.opened" | "ticket.assigned" | "ticket.unassigned" | "ticket.closed":
                return _of_ticket(kind, at, member(said, "data"))
            case "service.registered":
                return (_registered(at, member(said, "data")),)
            case "service.ended":
                return (Ended(at, text(member(member(said, "data"), "service", "/data"), "id", _SERVICE)),)
        return ()


def signature(key: bytes, signed: bytes) -> str:
    """HMAC-SHA256 in base64, as it stands behind `v1,`."""
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


_SERVICE = "/data/service"


def _of_ticket(kind: str, at: Moment, data: Mapping[str, object]) -> tuple[Event, ...]:
    place = "/data/ticket"
    described = member(data, "ticket", "/data")
    ticket = Ticket(
        text(described, "id", place, 80),
        text(described, "service", place, 80),
        text(described, "number", place, 40),
        text(described, "title", place),
    )
    if kind == "ticket.opened":
        return (Opened(at, ticket),)
    if kind == "ticket.closed":
        return (Closed(at, ticket),)
    mail = address(data, "assignee", "/data")
    if kind == "ticket.unassigned":
        return (Unassigned(at, ticket, mail),)
    by = address(data, "by", "/data") if data.get("by") is not None else ""
    until = moment(data, "until", "/data") if data.get("until") is not None else None
    return (Opened(at, ticket, "implied"), Assigned(at, ticket, mail, by, until))


def _registered(at: Moment, data: Mapping[str, object]) -> Registered:
    service, customer = member(data, "service", "/data"), member(data, "customer", "/data")
    reference = text(service, "id", _SERVICE, 80)
    if reference.startswith("svc_"):
        raise Invalid("a helpdesk names a service by its own id, and not like one of ours", f"{_SERVICE}/id")
    return Registered(
        at,
        reference,
        text(service, "type", _SERVICE),
        text(service, "title", _SERVICE),
        moment(service, "ends_at", _SERVICE),
        text(customer, "name", "/data/customer"),
        address(customer, "mail", "/data/customer"),
    )
