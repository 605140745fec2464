"""A request that is on its way when the right behind it ends: what counts is the moment of its record."""

import json
import socket
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.world import LOGIN, World
from vault.model.views import LeaseView
from vault.operations.people import staff
from vault.operations.services import tickets
from vault.values import Actor, to_datetime

from .speaking import bearer


class Slow:
    """A request of Tom's of which all but the last byte has arrived."""

    def __init__(self, line: socket.socket, world: World, path: str, body: dict[str, Any]) -> None:
        self.line = line
        whole = json.dumps(body).encode()
        token = bearer(world.member("technician").token)["authorization"]
        host = urlsplit(world.settings.base_url).netloc
        head = (
            f"POST /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(whole)}\r\n\r\n"
        )
        line.sendall(head.encode() + whole[:-1])
        self.rest = whole[-1:]

    def finished(self) -> tuple[int, str]:
        """Send the last byte; returns the status and everything that came."""
        self.line.sendall(self.rest)
        answer = b""
        while more := self.line.recv(65536):
            answer += more
        return int(answer.split()[1]), answer.decode()


def begun(world: World, held: ExitStack, lease: LeaseView, secret: str) -> list[Slow]:
    """Each way of opening under a lease, and of making it longer."""
    address = ("localhost", urlsplit(world.settings.base_url).port or 0)
    field = {"secret": secret, "field": "password"}
    longer = {"minutes": 30, "presence": {"code": world.code("technician")}}
    wanted = [("reveal", field), ("use", field), ("code", {"secret": secret}), ("extend", longer)]
    return [
        Slow(
            held.enter_context(socket.create_connection(address, timeout=30)),
            world,
            f"/leases/{lease.id}/{path}",
            body,
        )
        for path, body in wanted
    ]


@pytest.mark.promise("P4")
@pytest.mark.attack("AZ09")
def test_what_arrives_whole_after_the_end_of_its_lease_opens_nothing(world: World) -> None:
    service = world.service()
    secret, ticket = world.give(service), world.ticket(service)
    lease = world.lease(ticket, secret, minutes=10)
    with world.served(), ExitStack() as held:
        slow = begun(world, held, lease, secret)
        left = lease.expires_at - to_datetime(world.clock.wall())
        world.clock.advance(microseconds=left // timedelta(microseconds=1))
        since = world.size()
        answers = [one.finished() for one in slow]
    assert [status for status, _ in answers] == [410] * 4
    assert LOGIN["password"] not in str(answers)
    assert not [line for line in world.ledger(since) if line.endswith(" ok")]


@pytest.mark.promise("P2", "P4")
@pytest.mark.attack("AZ07", "AZ14")
@pytest.mark.parametrize("how", ["unassigned", "disabled"])
def test_what_arrives_whole_after_its_person_was_stopped_opens_nothing(world: World, how: str) -> None:
    _, secret, ticket, lease = world.lent()
    clara, tom = world.actor("coordinator"), world.member("technician")
    with world.served(), ExitStack() as held:
        slow = begun(world, held, lease, secret)
        if how == "disabled":
            world.perform(staff.disable, Actor.host(), tom.id)
        else:
            world.perform(tickets.unassign, clara, ticket.id, tom.id)
        since = world.size()
        answers = [one.finished() for one in slow]
    assert {status for status, _ in answers} <= ({401} if how == "disabled" else {404, 410})
    assert LOGIN["password"] not in str(answers)
    assert not [line for line in world.ledger(since) if line.endswith(" ok")]
