"""The story's middle: the login is lent for a ticket and used, and the record of it is taken along."""

import re
import subprocess
import sys
from functools import partial
from pathlib import Path

from cli.demo.company import refused
from cli.demo.customer_server import customer_server, log_in
from cli.demo.ground import require
from cli.demo.stage import Stage
from vault.errors import Denied, Ended, Invalid, NotFound

REASON = "Install version 4.2 of the shop"
VERIFY_SECONDS = 60


def ticketed(stage: Stage) -> str:
    """A ticket is opened, and a technician is put on it."""
    stage.ticket = stage.company.open_ticket(
        stage.clara, stage.service, "T-2041", "Shop to 4.2", stage.tom, stage.theo
    )
    seen = stage.company.get(stage.tom, "tickets")
    require([ticket["id"] for ticket in seen] == [stage.ticket], "Tom does not see his ticket")
    return "Ticket T-2041 is opened; Tom and Theo, technicians, are assigned to it"


def checked_out(stage: Stage) -> str:
    """The technician takes a lease, with a reason and a code."""
    company = stage.company
    refused(Invalid, "reason", partial(company.check_out, stage.tom, stage.ticket, stage.secret, "why?"))
    stage.lease = company.check_out(stage.tom, stage.ticket, stage.secret, REASON)
    require(stage.lease["state"] == "active", "the lease does not run")
    return "Tom checks it out for 30 minutes, with a reason and a fresh code"


def revealed(stage: Stage) -> str:
    """The technician reveals single fields, each with a record of its own."""
    wanted = stage.login.fields()
    before = _reveals(stage)
    stage.fields = {
        name: stage.company.reveal(stage.tom, stage.lease["id"], stage.secret, name) for name in wanted
    }
    require(stage.fields == wanted, "it is not what the customer typed")
    require(_reveals(stage) == before + len(wanted), "not every reveal has an entry")
    return f"He reveals {len(wanted)} fields, each one an entry in the log: byte for byte as typed"


def _reveals(stage: Stage) -> int:
    page = stage.company.get(stage.axel, "ledger", "entries", type="secret.reveal", actor=stage.tom.id)
    return sum(entry["outcome"] == "ok" for entry in page["entries"])


def logged_in(stage: Stage) -> str:
    """The technician logs in to the customer's server, and to no other."""
    said = stage.beside.run(log_in(stage.fields, "shop --version"))
    require("4.1.7" in said, "the server did not answer the command")
    require(stage.server.visits == [f"{stage.login.username} by password"], "the server saw no login")
    with customer_server(stage.beside, stage.login.username) as impostor:
        there = stage.fields | {"port": impostor.login.port}
        refused(Denied, "another host key", lambda: stage.beside.run(log_in(there, "shop --version")))
        require(not impostor.knocks, "an impostor was told who comes")
    return "He logs in by SSH with them, host key checked; an impostor is told nothing"


def not_assigned(stage: Stage) -> str:
    """A technician who is not on the ticket gets nothing."""
    company, tessa = stage.company, stage.tessa
    require(company.get(tessa, "tickets") == [], "Tessa sees a ticket")
    nothing = partial(refused, NotFound, "there is no such thing")
    nothing(lambda: company.get(tessa, "tickets", stage.ticket))
    nothing(lambda: company.check_out(tessa, stage.ticket, stage.secret, REASON))
    nothing(lambda: company.reveal(tessa, stage.lease["id"], stage.secret, "password"))
    return "Tessa, a technician not on the ticket: no ticket, no lease, no reveal"


def other_roles(stage: Stage) -> str:
    """Administrator, auditor and coordinator have no way to it either."""
    company = stage.company
    ticket, lease, secret = stage.ticket, stage.lease["id"], stage.secret
    for person in (stage.ada, stage.axel, stage.clara):
        refused(Denied, "your role", partial(company.check_out, person, ticket, secret, REASON))
        refused(
            NotFound, "there is no such thing", partial(company.reveal, person, lease, secret, "password")
        )
        onto = partial(company.post, person, "tickets", ticket, "assign", person=person.id)
        refused(Denied, "nobody assigns" if person is stage.clara else "your role", onto)
    return "Administrator, auditor and coordinator: no lease, no reveal, no assignment"


def checked_in(stage: Stage) -> str:
    """The technician hands access back, and it opens nothing any more."""
    company = stage.company
    company.post(stage.tom, "leases", stage.lease["id"], "checkin")
    again = partial(company.reveal, stage.tom, stage.lease["id"], stage.secret, "password")
    refused(Ended, "this lease has ended", again)
    return "Tom checks in; what he tries to reveal after that is refused"


def exported(stage: Stage) -> str:
    """The auditor takes the log along and verifies it with one file of plain Python and the published key."""
    page = stage.company.get(stage.axel, "ledger", "entries", type="lease.start", service=stage.service)
    require(any(entry["facts"].get("reason") == REASON for entry in page["entries"]), "the log has no reason")
    desk = stage.ground.place / "auditor"
    desk.mkdir(mode=0o700)
    stage.verifier = desk / "verify.py"
    stage.verifier.write_bytes(stage.ground.valetkey("audit", "verifier"))
    bundle = desk / "bundle"
    take_along(stage, bundle)
    note = stage.company.get(stage.axel, "ledger", "checkpoint")["note"]
    (desk / "checkpoint").write_text(note, "utf-8")
    said = verify(stage, bundle)
    require(said.returncode == 0, f"the bundle does not verify: {said.stderr}")
    return "Axel, auditor, exports the log; one file of plain Python finds it whole"


def take_along(stage: Stage, place: Path) -> None:
    """Export the log as the auditor does."""
    with stage.company.client(stage.axel) as client:
        place.write_bytes(b"".join(client.stream("/api/v1/ledger/bundle")))


def verify(stage: Stage, bundle: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """Run the lone verifier as its own process, without anything of ours on its path, with the published key."""
    return subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            stage.verifier.name,
            bundle.name,
            "--key",
            stage.company.ledger_key,
            *more,
        ],
        cwd=stage.verifier.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=VERIFY_SECONDS,
    )


def edited(stage: Stage) -> str:
    """Whoever edits the bundle is found, at the entry that was edited."""
    bundle = stage.verifier.parent / "bundle"
    lines = bundle.read_text("utf-8").splitlines(keepends=True)
    at = next(
        at for at, line in enumerate(lines) if '"type":"secret.reveal"' in line and stage.tom.id in line
    )
    lines[at] = lines[at].replace(stage.tom.id, stage.tessa.id)
    forged = bundle.with_name("forged")
    forged.write_text("".join(lines), "utf-8")
    said = verify(stage, forged)
    require(said.returncode == 1, "the edited bundle was not refused")
    named = re.search(r"entry (\d+)", said.stderr)
    require(named and int(named[1]) == at - 1, f"it names another entry: {said.stderr}")
    return f"One name in it changed from Tom to Tessa: refused, and entry {at - 1} is named"
