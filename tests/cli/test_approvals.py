"""Somebody else's yes at the terminal: a technician waits for it, a coordinator says it."""

import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from cli import approvals
from cli.http import Client
from tests.approvals import given, waiting
from tests.cli.browser import people_of
from tests.cli.playing import Elsewhere, Value, play
from tests.cli.running import PROGRAM, environment
from tests.operations.visiting import come
from tests.world import World
from vault.errors import Ended, Unavailable, VaultError
from vault.operations.customers import own_approvals
from vault.operations.leases import approving, checkout
from vault.operations.people import device

SESSIONS = Path(__file__).parent / "sessions"
WHY_NOT = "ask the customer by telephone first"
CUE = r"(lse_\w+)\s[\s\S]*waiting for it"


def answers(world: World) -> dict[str, Elsewhere]:
    """`yes as ROLE` and `no as ROLE`, once a command waits for one of them."""

    def yes(lease: str, words: str) -> None:
        role = words.removeprefix("as ")
        actor, given = world.actor(role), world.presence(role)
        asked = world.read(approving.approval_view, actor, lease).lease
        world.run(approving.approve(world.vault, actor, lease, asked.digest, given))

    def no(lease: str, words: str) -> None:
        actor = world.actor(words.removeprefix("as "))
        asked = world.read(approving.approval_view, actor, lease).lease
        world.run(approving.refuse(world.vault, actor, lease, asked.digest, WHY_NOT))

    return {"yes": Elsewhere(CUE, yes), "no": Elsewhere(CUE, no)}


def played(
    world: World,
    server: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    session: str,
    role: str,
    **more: Value,
) -> None:
    monkeypatch.setattr(
        device, "INTERVAL", 0
    )  # the server says how long to wait, and nobody here has the time
    known: dict[str, Value] = {"server": server, f"{role}_code": partial(world.code, role), **more}
    play(SESSIONS / f"{session}.txt", PROGRAM, environment(home), known, people_of(world) | answers(world))


@pytest.mark.promise("P7")
def test_a_technician_waits_at_the_terminal_for_a_yes(
    embedded: World, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(embedded, "coordinator")
    played(embedded, server, tmp_path, monkeypatch, "asking", "technician")


@pytest.mark.promise("P7")
def test_a_coordinator_says_yes_and_no_at_the_terminal(
    embedded: World, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = waiting(embedded, "coordinator")
    other = embedded.lease(asked.ticket, asked.secret)
    more = {"lease": asked.lease.id, "other": other.id}
    played(embedded, server, tmp_path, monkeypatch, "answering", "coordinator", **more)
    assert asked.now().state == "active"


@pytest.mark.promise("P7")
def test_who_stops_waiting_leaves_it_waiting_and_a_script_hears_the_customers_no(
    embedded: World, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, secret, ticket = given(embedded, "customer")
    session = tmp_path / "signing-in.txt"
    session.write_text(
        "$ valetkey login $server\n~ approve as technician\n$ valetkey agree --version 1\n", "utf-8"
    )
    monkeypatch.setattr(device, "INTERVAL", 0)
    play(session, PROGRAM, environment(tmp_path), {"server": server}, people_of(embedded))
    embedded.actor("technician")
    with _asking(tmp_path, ticket.id, embedded) as stopped:
        shown = _until_waiting(stopped)
        stopped.send_signal(signal.SIGINT)
        assert stopped.wait(20) == 130
    assert "the yes of the customer, Acme Garden Tools" in shown
    visitor = come(embedded, service.customer.id)
    (lease,) = embedded.read(checkout.leases, embedded.actor("technician"))
    assert (lease.state, lease.secrets[0].id) == ("asked", secret), "it waits on"
    embedded.perform(checkout.check_in, embedded.actor("technician"), lease.id)
    with _asking(tmp_path, ticket.id, embedded) as waits:
        _until_waiting(waits)
        (asked,) = [
            one
            for one in embedded.read(checkout.leases, embedded.actor("technician"))
            if one.state == "asked"
        ]
        embedded.perform(own_approvals.refuse, visitor.actor, asked.id, asked.digest)
        out, said = waits.communicate(timeout=20)
    assert (waits.returncode, out.decode().strip()) == (77, asked.id)
    assert "error: it was refused by Acme Garden Tools" in said.decode()


def _asking(home: Path, ticket: str, world: World) -> "subprocess.Popen[bytes]":
    """`valetkey checkout` of a script, which gives reason and code on stdin."""
    asking = subprocess.Popen(
        [*PROGRAM, "checkout", ticket, "--reason", "look at the shop once more"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
        cwd=home,
    )
    assert asking.stdin
    asking.stdin.write(f"{world.code('technician')}\n".encode())
    asking.stdin.close()
    asking.stdin = None
    return asking


def _until_waiting(asking: "subprocess.Popen[bytes]") -> str:
    assert asking.stderr
    shown = ""
    give_up = time.monotonic() + 30
    while "waiting for it" not in shown:
        line = asking.stderr.readline().decode()
        assert line, f"it did not wait:\n{shown}"
        assert time.monotonic() < give_up
        shown += line
    return shown


def test_nobody_waits_for_longer_than_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were over: the command ends as a failure, and the lease waits on."""
    monkeypatch.setattr(approvals, "LONGEST_SECONDS", -1.0)
    asked = {"id": "lse_1", "state": "asked", "expires_at": "2026-12-01T08:00:00Z"}
    with pytest.raises(Unavailable, match="waits on until 2026-12-01 08:00 UTC") as refused:
        approvals.answered(Client("http://127.0.0.1:9"), asked)
    assert "lease list" in refused.value.hint


@pytest.mark.parametrize(
    ("how", "kind"),
    [("not answered", Ended), ("taken back", Ended), ("revocation", Ended), ("service ended", Ended)],
)
def test_what_nobody_will_answer_any_more_is_said(how: str, kind: type[VaultError]) -> None:
    over = {"id": "lse_1", "state": "ended", "ended_how": how}
    with pytest.raises(kind):
        approvals.answered(Client("http://127.0.0.1:9"), over)
