"""docs/ledger.md is the closed list of entries: the program has no other, and each is played here."""

import ast
import importlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from api.pages.log import WORDS
from tests.operations.playing import play_customer, play_people, play_service
from tests.operations.playing_helpdesk import play_helpdesk
from tests.source_tree import ROOT, sources, tree_of
from tests.world import World
from vault.ledger.entry import Entry, decode
from vault.model.tables import GUARDED
from vault.policy.rights import EVERYBODY

PAGE = ROOT / "docs" / "ledger.md"
UNRECORDED = {
    "attempt.count",
    "session.seen",
    "session.ask",
    "presence.ask",
    "enrolment.ask",
    "device.ask",
    "device.poll",
    "token.seen",
    "visit.seen",
    "outbox.settle",
    "housekeeping",
    "ledger.checkpoint",
    "helpdesk.unsigned",
    "helpdesk.taken",
}
SHARED = {
    "secret.check": 2,
    "secret.checked": 2,
    "session.start": 3,
    "session.end": 2,
    "presence.prove": 4,
    "enrolment.done": 2,
    "factor.ask": 2,
    "factor.offer": 2,
    "factor.add": 3,
    "factor.remove": 2,
    "staff.ask": 2,
    "service.end": 3,
    "service.register": 2,
    "customer.add": 2,
    "ticket.open": 2,
    "ticket.assign": 2,
    "ticket.close": 2,
    "helpdesk.told": 2,
    "visit.start": 2,
    "customer.correct": 2,
    "lease.approve": 2,
    "lease.refuse": 2,
    "ticket.unassign": 3,
}
"""How many operations leave the same type: several ways to one thing."""
COUNTING = {"attempt.count", "attempt.limit", "session.seen", "token.seen", "visit.seen"}
TAKING_AWAY = {
    "session.end",
    "session.end-all",
    "session.reuse",
    "token.end",
    "device.deny",
    "request.cancel",
    "lease.check-in",
    "lease.revoke",
    "lease.refuse",
    "ticket.unassign",
    "ticket.close",
    "staff.refuse",
    "staff.withdraw",
    "staff.drop-role",
    "staff.disable",
    "visit.end",
    "service.pause",
    "secret.withdraw",
    "helpdesk.end",
}
OPERATORS = {"vault.unseal", "vault.seal", "clock.confirm"}
"""The host's own: without them nobody could set right what stands still."""
WRITERS_OWN = {"clock.doubt"}
"""What the writer notes by itself, without an operation."""
GIVING_ROLES = {"staff.add", "staff.vouch", "staff.roles"}


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


def test_the_auditors_page_has_words_for_every_type() -> None:
    types = {one.entry_type for one in declared().values() if one.recorded} | WRITERS_OWN
    assert types == set(WORDS)


def test_operations_that_leave_the_same_type_are_few_and_agree() -> None:
    times = Counter(function.entry_type for function in declared().values())
    assert {name: count for name, count in times.items() if count > 1} == SHARED
    kinds = {(one.entry_type, one.recorded, one.in_any_time) for one in declared().values()}
    assert len(kinds) == len(times), "the same type is recorded, or goes on in doubt, here and not there"


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
    """Or is the operator's. That it makes nothing is seen where all is played."""
    going_on = {f.entry_type for f in declared().values() if f.in_any_time}
    assert going_on == COUNTING | TAKING_AWAY | OPERATORS


def entries(world: World) -> Iterator[Entry]:
    for (body,) in world.sql("SELECT body FROM ledger_entry ORDER BY seq"):
        yield decode(body.encode())


class Reader:
    """Reads the ledger from its first entry as an auditor does: it alone says who had which role, and when."""

    def __init__(self) -> None:
        self.roles: dict[str, set[str]] = {}
        self.rows: set[str] = set()
        self.by: dict[str, set[str]] = {}
        self.named: dict[str, set[str]] = {}

    def read(self, entry: Entry, row: Told) -> None:
        """Hold one entry to its row of the page, and remember what it says."""
        person, customer = entry.actor.startswith("per_"), entry.actor.startswith("cus_")
        helpdesk = entry.actor.startswith("hlp_")
        by = self.roles[entry.actor] if person else {"customer" if customer else entry.actor}
        by = {"helpdesk"} if helpdesk else by
        assert by & row.by, f"{entry.type} by {by}"
        assert set(entry.ids) <= row.names, entry.type
        assert set(entry.disclosed) <= row.discloses, entry.type
        assert (entry.session != "") == (person or customer), f"{entry.type}: whose session"
        changed = {row_id for row_id, _ in entry.rows}
        if entry.type in TAKING_AWAY | COUNTING | OPERATORS:
            assert changed <= self.rows, f"{entry.type} made something"
        self.rows |= changed
        self.by.setdefault(entry.type, set()).update(by & row.by)
        self.named.setdefault(entry.type, set()).update(entry.ids, entry.disclosed)
        if entry.outcome == "ok":
            self._follow_roles(entry)

    def _follow_roles(self, entry: Entry) -> None:
        person = entry.ids.get("person", "")
        if entry.type in GIVING_ROLES and "roles" in entry.ids:
            self.roles[person] = set(entry.ids["roles"].split())
        elif entry.type == "staff.drop-role":
            self.roles[person] -= {entry.ids["role"]}


def any_of_all(by: set[str] | frozenset[str], listed: frozenset[str]) -> set[str]:
    """Who did something; for what all of the staff may do, one of them has done it for all."""
    return {"staff" if one in EVERYBODY <= listed else one for one in by}


@pytest.mark.promise("P8")
@pytest.mark.attack("AU06")
def test_every_type_is_played_and_names_what_the_page_says(embedded: World) -> None:
    embedded.settings = embedded.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": 1})
    embedded.reopen()
    play_helpdesk(embedded)  # first: those who come later send Tom away
    play_customer(embedded)
    play_service(embedded)
    play_people(embedded)
    page, reader = told(), Reader()
    for entry in entries(embedded):
        reader.read(entry, page[entry.type])
    assert set(reader.named) == set(page)
    for name, row in page.items():
        assert reader.named[name] == row.names | row.discloses, name
        assert any_of_all(reader.by[name], row.by) == any_of_all(row.by, row.by), name
    there = {f"{name}:{row[0]}" for name in GUARDED for row in embedded.sql(f"SELECT id FROM {name}")}
    assert {name.partition(":")[0] for name in there} == set(GUARDED)
    assert there <= reader.rows, "a row that no entry names"
    kept = {person: set(roles.split()) for person, roles in embedded.sql("SELECT id, roles FROM person")}
    assert {person: roles for person, roles in kept.items() if roles} == reader.roles
