"""A helpdesk of the small company: it says things, and signs them as its kind does."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.world import World
from vault.ledger.entry import Entry, decode
from vault.model.helpdesk_views import HelpdeskView
from vault.model.views import ServiceView
from vault.operations.helpdesk import helpdesks, mirroring
from vault.operations.services import tickets
from vault.values import SECOND, Actor, to_datetime

FROM = Actor.nobody("203.0.113.5", "api")
TOM, CLARA = "tom@agency.example", "clara@agency.example"


@dataclass
class Delivery:
    """What is sent at once."""

    headers: dict[str, list[str]]
    body: bytes


class Teller:
    """One helpdesk, with its secret; `now` is its own clock, which is the vault's unless it is moved."""

    def __init__(self, world: World, kind: str = "standard", name: str = "The helpdesk") -> None:
        self.world = world
        self.view: HelpdeskView = world.run(helpdesks.add(world.vault, Actor.host(), name, kind))
        assert self.view.secret
        self.secret = self.view.secret

    @property
    def id(self) -> str:
        return self.view.id

    def connect(self, service: ServiceView) -> ServiceView:
        self.world.perform(helpdesks.connect, self.world.actor("coordinator"), service.id, self.id)
        return service

    def when(self, **ago: float) -> str:
        """A moment so long ago, as a helpdesk writes it."""
        return (to_datetime(self.world.clock.wall()) - timedelta(**ago)).isoformat()

    # -- Standard Webhooks -----------------------------------------------------------------------------------------

    def said(self, kind: str, at: str = "", **data: Any) -> bytes:
        return json.dumps({"type": kind, "timestamp": at or self.when(), "data": data}).encode()

    def signed(self, body: bytes, message: str = "", seconds: int | None = None) -> Delivery:
        message = message or f"msg_{secrets.token_hex(8)}"
        sent = str(self.world.clock.wall() // SECOND if seconds is None else seconds)
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        made = hmac.digest(key, f"{message}.{sent}.".encode() + body, "sha256")
        return Delivery(
            {
                "webhook-id": [message],
                "webhook-timestamp": [sent],
                "webhook-signature": [f"v1,{base64.b64encode(made).decode()}"],
            },
            body,
        )

    def ticket(
        self, service: ServiceView | str, reference: str = "81", number: str = "10081"
    ) -> dict[str, Any]:
        named = service if isinstance(service, str) else service.id
        return {"id": reference, "service": named, "number": number, "title": "The shop is down"}

    # -- Zammad ------------------------------------------------------------------------------------------------------

    def snapshot(self, **changed: Any) -> Delivery:
        body = json.dumps({"ticket": changed, "article": {"id": 104}}).encode()
        made = hmac.new(self.secret.encode(), body, hashlib.sha1).hexdigest()
        return Delivery(
            {"x-hub-signature": [f"sha1={made}"], "x-zammad-delivery": [secrets.token_hex(8)]}, body
        )

    # -- sending -----------------------------------------------------------------------------------------------------

    def send(self, delivery: Delivery) -> None:
        """Raises what the vault answers."""
        self.world.run(mirroring.receive(self.world.vault, FROM, self.id, delivery.headers, delivery.body))

    def tell(self, kind: str, at: str = "", **data: Any) -> None:
        self.send(self.signed(self.said(kind, at, **data)))


# -- what came of it --------------------------------------------------------------------------------------------------


def state_of(world: World) -> list[tuple[str, str, list[str]]]:
    """Every open ticket by its number, with who is on it."""
    shown = [
        world.read(tickets.ticket, world.actor("coordinator"), one.id)
        for one in world.read(tickets.tickets, world.actor("coordinator"))
        if one.state == "open"
    ]
    return sorted((one.number, one.service_id, sorted(who.mail for who in one.assigned)) for one in shown)


def entries(world: World, since: int = 0) -> list[Entry]:
    rows = world.sql("SELECT body FROM ledger_entry WHERE seq >= :since ORDER BY seq", since=since)
    return [decode(body.encode()) for (body,) in rows]


def told(world: World, since: int, teller: Teller) -> list[str]:
    """What the entries of a helpdesk are called, from there on."""
    return [f"{one.type} {one.outcome}" for one in entries(world, since) if one.actor == teller.id]


def counted(world: World) -> int:
    return sum(int(count) for (count,) in world.sql("SELECT count FROM refusal_count"))


def wants_a_yes(world: World, number: str, mail: str = TOM) -> bool:
    """Whether that person is on the ticket by a word that nobody else has confirmed."""
    for one in world.read(tickets.tickets, world.actor("coordinator")):
        shown = world.read(tickets.ticket, world.actor("coordinator"), one.id)
        for who in shown.assigned:
            if (shown.number, who.mail, shown.state) == (number, mail, "open"):
                return who.alone
    raise AssertionError(f"{mail} is not on {number}")
