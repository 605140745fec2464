"""docs/ledger.md is the closed list of entries: the program has no other, and each is played here."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.source_tree import ROOT, sources, tree_of
from tests.world import CATALOGUE, LOGIN, World
from vault.errors import ClockInDoubt, Tampered
from vault.ledger.entry import Entry, decode
from vault.model.messages import Done
from vault.operations import (
    audit,
    catalogue,
    checkout,
    delivery,
    intake,
    operator,
    requests,
    sessions,
    staff,
    tickets,
    upkeep,
)
from vault.values import Actor

PAGE = ROOT / "docs" / "ledger.md"
UNRECORDED = {"attempt.count", "session.seen", "outbox.settle", "housekeeping", "ledger.checkpoint"}
WRITERS_OWN = {"clock.doubt"}
"""What the writer notes by itself, without an operation."""


@dataclass(frozen=True)
class Told:
    """A row of the page."""

    by: frozenset[str]
    names: frozenset[str]
    discloses: frozenset[str]


def told() -> dict[str, Told]:
    table = PAGE.read_text("utf-8").split("## Entries")[1].split("## What has no entry")[0]
    rows = [line.split("|")[1:5] for line in table.splitlines() if line.startswith("| `")]
    named = {name.strip(" `"): cells for name, *cells in rows}
    assert len(named) == len(rows)
    return {
        name: Told(*(frozenset(re.findall(r"[a-z_]+", cell)) for cell in cells))
        for name, cells in named.items()
    }


def declared() -> dict[str, Any]:
    """Every function under `@operation`, by its place, as it is after import."""
    found: dict[str, Any] = {}
    for path in sources("vault/operations"):
        module = importlib.import_module(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."))
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef) and any(
                "operation(" in ast.unparse(d) for d in node.decorator_list
            ):
                found[f"{path.stem}.{node.name}"] = getattr(module, node.name)
    return found


def test_the_sweep_sees_every_operation() -> None:
    """The canary: as many as the text of the sources has, and these among them."""
    decorators = sum(
        len(re.findall(r"^@operation\(", path.read_text("utf-8"), re.MULTILINE)) for path in sources("vault")
    )
    assert len(declared()) == decorators
    assert {"checkout.reveal", "vault._damaged", "operator._sealed", "attempts._counted"} <= set(declared())
    types = [function.entry_type for function in declared().values()]
    assert len(types) == len(set(types)), "two operations leave the same type"


@pytest.mark.promise("P8")
def test_the_page_lists_every_type_of_entry_and_no_other() -> None:
    recorded = {function.entry_type for function in declared().values() if function.recorded}
    assert set(told()) == recorded | WRITERS_OWN
    drafts = {
        str(ast.literal_eval(node.args[0]))
        for path in sources("vault")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Draft"
        and isinstance(node.args[0], ast.Constant)
    }
    assert drafts == WRITERS_OWN


def test_what_has_no_entry_is_a_closed_list_with_a_reason_each() -> None:
    assert {f.entry_type for f in declared().values() if not f.recorded} == UNRECORDED
    table = PAGE.read_text("utf-8").split("## What has no entry")[1]
    rows = dict(re.findall(r"^\| `([a-z.-]+)` \| ([^|]+) \|$", table, re.MULTILINE))
    assert set(rows) == UNRECORDED
    assert all(len(reason) > 20 for reason in rows.values())


def test_what_goes_on_in_any_time_only_takes_away_or_counts() -> None:
    going_on = {f.entry_type for f in declared().values() if f.in_any_time}
    assert going_on == {
        "attempt.count",
        "session.seen",
        "session.end",
        "request.cancel",
        "lease.check-in",
        "lease.revoke",
        "ticket.unassign",
        "ticket.close",
        "staff.disable",
        "vault.unseal",
        "vault.seal",
        "clock.confirm",
    }


def play(world: World) -> None:
    """Everything that can happen, once."""
    vault, host, customer = world.vault, Actor.host(), Actor.nobody("198.51.100.9", "intake")
    service, secret, ticket, lease = world.lent()
    world.reveal(lease, secret)
    technician, coordinator = world.actor("technician"), world.actor("coordinator")
    again = world.run(checkout.report_broken(vault, technician, lease.id, secret, "the server says no"))
    browser, form = world.begin(world.perform(requests.reissue, coordinator, again.id, "hand"))
    world.seal()
    world.hand_in(browser, world.sealed(form, {**LOGIN, "port": "no port"}))
    world.run(intake.done(vault, customer, Done(browser=browser)))
    world.unseal()
    asked = world.perform(requests.ask, coordinator, service.id, ["ssh-key"], "mail")
    world.run(delivery.deliver(vault))
    world.perform(requests.cancel, coordinator, asked.id)
    world.perform(checkout.check_in, technician, lease.id)
    other = world.service(title="Another shop", days=3)
    kept = world.give(other)
    open_ticket = world.ticket(other)
    world.perform(checkout.revoke, coordinator, world.lease(open_ticket, kept).id)
    left = world.lease(open_ticket, kept)
    world.sql("UPDATE secret SET envelope = :junk WHERE id = :id", junk=b"VKE1", id=kept)
    with pytest.raises(Tampered):
        world.reveal(left, kept)
    world.run(damage(world, kept, other.id))
    world.ask(service)
    world.perform(tickets.unassign, coordinator, ticket.id, world.member("technician").id)
    world.perform(tickets.close, coordinator, ticket.id)
    world.bundle()
    auditor = world.actor("auditor")
    world.clock.jump(hours=1)
    with pytest.raises(ClockInDoubt):
        world.perform(audit._exported, auditor)
    world.run(operator.confirm_clock(vault))
    world.run(upkeep.sweep(vault))
    world.clock.advance(days=6)
    world.run(operator.confirm_clock(vault))
    world.run(upkeep.sweep(vault))
    world.clock.advance(days=6)
    world.run(upkeep.sweep(vault))
    world.clock.advance(days=4)
    world.run(upkeep.sweep(vault))
    world.perform(sessions.sign_out, world.actor("auditor"))
    world.run(catalogue.apply(vault, host, CATALOGUE.replace("= 240", "= 120")))
    world.perform(staff.disable, world.actor("administrator"), world.member("technician").id)
    world.end(service)


async def damage(world: World, secret: str, service: str) -> None:
    """What a reveal notes when what is stored does not open."""
    from vault.operations.vault import _damaged

    await world.vault.perform(_damaged, Actor.core(), service, secret)


def entries(world: World) -> Iterator[Entry]:
    for (body,) in world.sql("SELECT body FROM ledger_entry ORDER BY seq"):
        yield decode(body.encode())


@pytest.mark.promise("P8")
@pytest.mark.attack("AU06")
def test_every_type_is_played_and_names_what_the_page_says(embedded: World) -> None:
    embedded.settings = embedded.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": 1})
    embedded.reopen()
    play(embedded)
    page, roles = told(), dict(embedded.sql("SELECT id, role FROM person"))
    seen: dict[str, set[str]] = {name: set() for name in page}
    for entry in entries(embedded):
        row = page[entry.type]
        assert roles.get(entry.actor, entry.actor) in row.by, f"{entry.type} by {entry.actor}"
        assert set(entry.ids) <= row.names, entry.type
        assert set(entry.disclosed) <= row.discloses, entry.type
        assert (entry.session != "") == (entry.actor in roles), f"{entry.type}: whose session"
        seen[entry.type] |= set(entry.ids) | set(entry.disclosed)
    missing = {name: (page[name].names | page[name].discloses) - named for name, named in seen.items()}
    assert {name: left for name, left in missing.items() if left} == {}
    assert {entry.type for entry in entries(embedded)} == set(page)
