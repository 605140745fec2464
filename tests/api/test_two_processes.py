"""Two servers as processes of their own on one PostgreSQL: what one of them takes away, the other refuses at once."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client, ConnectError

from tests.conftest import _template
from tests.source_tree import ROOT
from tests.world import LOGIN, PASSWORD, World, free_port
from vault.crypto.factors import current_code
from vault.operations.people import sessions, tokens
from vault.values import SECOND, Actor

from .speaking import bearer

PROGRAM = """
import json, os, sys
import vault.crypto.passwords as passwords
import vault.operations.vault as running
from api.serve import serve
from tests.storage.child import AheadClock
from tests.hashes import CHEAP
from vault.settings import Settings

ahead = int(sys.argv[1])
running.SystemClock = lambda: AheadClock(ahead)
passwords.FLOOR = CHEAP
running.HashingQueue = lambda: passwords.HashingQueue(CHEAP)
serve(Settings())
"""
"""The server as it is, on a clock that is as far ahead as that of the tests, and with their cheap hashes."""


@pytest.fixture
def shared(request: pytest.FixtureRequest, templates: dict[str, Any], tmp_path: Path) -> Iterator[World]:
    """The small company on PostgreSQL; its own vault is a third node beside the two processes."""
    with _template(request, templates, "postgresql").world(tmp_path) as world:
        yield world


@contextmanager
def process(world: World, place: Path) -> Iterator[Client]:
    """One more server on the world's databases, with a data directory of its own; gives a client of its API."""
    place.mkdir()
    shutil.copy(world.settings.statement_key_place, place)
    port = free_port()
    ahead = world.clock.wall() - time.time_ns() // 1000
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "VALETKEY_DATA_DIR": str(place),
        "VALETKEY_DATABASE_URL": world.settings.database_url,
        "VALETKEY_KEYRING_URL": world.settings.keyring_url,
        "VALETKEY_ROOT_KEY_FILE": str(world.settings.root_key_file),
        "VALETKEY_BASE_URL": f"http://127.0.0.1:{port}",
        "VALETKEY_PORT": str(port),
    }
    log = place / "log"
    with log.open("ab") as said:
        command = [sys.executable, "-c", PROGRAM, str(ahead)]
        running = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    try:
        with Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as client:
            wait_for(client, running, log)
            yield client
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


def wait_for(client: Client, running: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert running.poll() is None, log.read_text()
        try:
            assert client.get("/agreement").status_code == 401
        except ConnectError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())


class Company:
    """Tom in three ways at both servers: a session, a command line's session, an API token; and his open lease."""

    both: tuple[Client, Client]

    def __init__(self, world: World) -> None:
        self.world = world
        _, self.secret, self.ticket, self.lease = world.lent()
        self.tom = world.member("technician")
        self.page = bearer(self.tom.token)
        line = Actor.nobody("192.0.2.7", "cli")
        mail = self.tom.view.mail
        self.line = bearer(
            world.run(sessions.sign_in(world.vault, mail, PASSWORD, world.code(self.tom), line)).token
        )
        given = world.presence(self.tom)
        made = tokens.make(world.vault, world.actor(self.tom), "helpdesk", ["tickets:read"], 1, given)
        self.token = bearer(world.run(made)[0])

    def statuses(self) -> list[int]:
        """What each server answers to each of his ways, the reveal under his lease among them."""
        found: list[int] = []
        for client in self.both:
            ways = (self.page, self.line, self.token)
            found += [client.get("/tickets", headers=headers).status_code for headers in ways]
            found += [self.reveal(client, headers) for headers in ways[:2]]
        return found

    def reveal(self, client: Client, headers: dict[str, str]) -> int:
        body = {"secret": self.secret, "field": "password"}
        answer = client.post(f"/leases/{self.lease.id}/reveal", json=body, headers=headers)
        assert (LOGIN["password"] in json.dumps(answer.json())) == (answer.status_code == 200)
        return answer.status_code


def signed_in(world: World, who: Any) -> dict[str, str]:
    """Sign in beside the servers. Their clock runs and that of the tests stands, so it is put where the ledger is."""
    ((last,),) = world.sql("SELECT time FROM ledger_head")
    world.clock.advance(microseconds=max(0, int(last) - world.clock.wall()))
    return bearer(world.sign_in(who))


@pytest.fixture
def company(shared: World, tmp_path: Path) -> Iterator[Company]:
    company = Company(shared)
    with ExitStack() as running:
        one, other = (running.enter_context(process(shared, tmp_path / name)) for name in ("a", "b"))
        company.both = (one, other)
        assert company.statuses() == [200] * 10, "both know him, from whichever node his sessions are"
        yield company


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ14", "DP15")
def test_a_disabled_technicians_next_request_is_refused_in_both_at_once(company: Company) -> None:
    world, (one, _) = company.world, company.both
    ada = signed_in(world, "administrator")
    disabled = one.post(f"/staff/{company.tom.id}/disable", headers=ada)
    assert disabled.status_code == 204, disabled.text
    since = world.size()
    assert company.statuses() == [401] * 10
    leases = world.sql("SELECT state, ended_how FROM lease")
    assert leases == [("ended", "disabled")]
    assert "secret.reveal ok" not in world.ledger(since)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ14", "DP15")
def test_a_role_that_is_taken_away_at_one_is_gone_at_the_other(company: Company) -> None:
    """Every session ends with it; a session of afterwards has what is left, which is nothing of a technician's."""
    world, (one, other) = company.world, company.both
    ada = signed_in(world, "administrator")
    taken = one.post(f"/staff/{company.tom.id}/drop-role", json={"role": "technician"}, headers=ada)
    assert taken.status_code in {200, 204}, taken.text
    assert set(company.statuses()) <= {401, 403}
    for client in company.both:
        assert company.reveal(client, company.page) in {401, 403}
    again = signed_in(world, company.tom)
    assert company.reveal(other, again) in {403, 404}
    for client in company.both:
        assert client.get("/tickets", headers=again).status_code == 403


@pytest.mark.attack("AZ07", "AZ14")
def test_who_is_taken_off_a_ticket_at_one_opens_nothing_of_it_at_the_other(company: Company) -> None:
    world, (one, other) = company.world, company.both
    clara = signed_in(world, "coordinator")
    body = {"person": company.tom.id}
    assert one.post(f"/tickets/{company.ticket.id}/unassign", json=body, headers=clara).status_code == 204
    assert company.reveal(other, company.page) in {404, 410}
    assert other.get("/tickets", headers=company.page).json() == []


@pytest.mark.attack("AN15", "AZ14")
def test_a_session_that_ends_at_one_is_dead_at_the_other_and_no_other_is(company: Company) -> None:
    one, other = company.both
    assert one.delete("/session", headers=company.page).status_code == 204
    for client in company.both:
        assert client.get("/session", headers=company.page).status_code == 401
        assert client.get("/session", headers=company.line).status_code == 200
    assert one.post("/account/sessions/end-all", headers=company.line).status_code == 204
    assert other.get("/session", headers=company.line).status_code == 401
    assert other.get("/tickets", headers=company.token).status_code == 200, "a token is no session"


@pytest.mark.attack("AN05", "AN06", "AN07")
def test_a_code_that_was_used_at_one_is_used_at_the_other(company: Company) -> None:
    world, (one, other) = company.world, company.both
    # the servers' clock runs, that of the tests stands: the next step must not begin between the two tries
    while (left := 30 - time.time() % 30) < 10:
        time.sleep(left + 0.1)
    clara = world.member("coordinator")
    time_now = now(world, company)
    while time_now // 30 <= clara.last_step:
        time.sleep(1)
        time_now = now(world, company)
    body = {"mail": clara.view.mail, "password": PASSWORD, "code": current_code(clara.seed, time_now)}
    assert one.post("/session", json=body).status_code == 201
    assert other.post("/session", json=body).status_code == 401
    assert one.post("/session", json=body).status_code == 401


def now(world: World, company: Company) -> int:
    """The servers' time in seconds: that of the host, or of the ledger where it has run ahead."""
    ((last,),) = world.sql("SELECT time FROM ledger_head")
    return max(time.time_ns() // 1000, int(last)) // SECOND


@pytest.mark.attack("AN01", "AN03")
def test_guesses_are_counted_at_both_together(company: Company) -> None:
    world = company.world
    seen = []
    for turn in range(14):
        body = {"mail": "axel@agency.example", "password": "not his password", "code": "000000"}
        seen.append(company.both[turn % 2].post("/session", json=body).status_code)
    assert seen == [401] * 10 + [429] * 4
    assert world.ledger().count("attempt.limit ok") == 1
