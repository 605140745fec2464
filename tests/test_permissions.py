"""Every route of the running application, asked by everybody for everything, answers what the table of rights says.

What a cell should be is worked out here from RIGHTS and `go_together` alone; what it asks is in tests/cells.py.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from api.app import build
from tests import permission_table
from tests.cells import ENDS, NAMES_NOTHING, Cell, ask_all, is_page, param_of
from tests.conftest import _template
from tests.everybody import ANONYMOUS, CUSTOMER, ENROLLING, PERSONAS, THINGS, VISITOR, Everybody, Persona
from tests.permission_table import ENROLMENT, FORM, HELPDESK, OPEN, rights_of
from tests.world import LOGIN, Template
from vault.policy.rights import CUSTOMERS_OWN, RIGHTS, Right, go_together

EVERYBODY = (ANONYMOUS, CUSTOMER, ENROLLING, VISITOR, *PERSONAS)
TELLER = Persona("a helpdesk that signs", state="nobody")
"""Nobody of those who ask here: it is known by its signature over each message."""
OPENED_BY = {ENROLMENT: ENROLLING, FORM: CUSTOMER, HELPDESK: TELLER} | dict.fromkeys(CUSTOMERS_OWN, VISITOR)
"""Who alone may do what is no right of the staff."""
IN_ONE_TURN = 1000
"""Cells; the world waits two minutes for a turn, however busy the machine is."""
GIVES_UP = {"session.end", "lease.check-in"}
"""What whoever has a session may do whatever has become of their roles: give up what they hold."""
SEEN_BY = {
    "secret.reveal": "lease.list",
    "secret.use": "lease.list",
    "secret.code": "lease.list",
    "lease.start": "ticket.list",
}
"""The right by which somebody may see what they may do nothing with: to them it is no secret that it is there."""
LOOKS_FIRST = {
    "POST /api/v1/leases/{lease_id}/use",
    "POST /api/v1/leases/{lease_id}/code",
    "POST /api/v1/leases/{lease_id}/reveal",
    "POST /leases/{lease_id}/code",
    "POST /leases/{lease_id}/reveal",
    "POST /people/changes/{change_id}/vouch",
}
"""These look for the thing first and judge the right then, so that nobody hears of more than that it is not there."""
SHOWS_WAITING = {"GET /people/changes/{change_id}", "POST /people/changes/{change_id}/vouch"}
"""The page of a change is there while it waits."""
NOT_THERE = {
    "POST /api/v1/account/factors/{factor_id}/remove": {"proof-needed"},
    "POST /account/factors/{factor_id}": {"proof-needed"},
    "POST /api/v1/tickets/{ticket_id}/leases": {"not-found", "proof-needed"},
    "POST /tickets/{ticket_id}/leases": {"not-found", "proof-needed"},
}
"""What is answered besides 404 for what is not theirs: a proof is asked for first, of oneself or of who coordinates."""
THREE = ("own", "other", "nonexistent")
OF_STAFF = {"person", "change", "review", "seq", "type_name"}
OWN_ALONE = {"factor", "session", "token", "challenge"}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def company(request: pytest.FixtureRequest, templates: dict[str, Template]) -> Iterator[Everybody]:
    with (
        tempfile.TemporaryDirectory(prefix="vk-") as place,
        _template(request, templates, request.param).world(Path(place)) as world,
    ):
        yield Everybody(world)


@pytest.fixture(scope="module")
def app(company: Everybody) -> FastAPI:
    return build(company.world.vault)


@pytest.fixture(scope="module")
def cells(company: Everybody, app: FastAPI) -> list[Cell]:
    """Every cell, asked: first what leaves everything as it is, then what ends a session."""
    rights = rights_of(app)
    asked = [
        Cell(route, right, who, thing)
        for route, right in rights.items()
        if right != OPEN and route not in ENDS
        for who in EVERYBODY
        for thing in things_of(route, right, who)
    ]
    last = [Cell(route, rights[route], who, "own") for route in sorted(ENDS) for who in EVERYBODY]
    turns = [asked[first : first + IN_ONE_TURN] for first in range(0, len(asked), IN_ONE_TURN)]
    return [cell for turn in (*turns, last) for cell in company.world.run(ask_all(company, app, turn))]


def things_of(route: str, right: str, who: Persona) -> tuple[str, ...]:
    """The things that a route is asked for. What belongs to a person or to the staff is not destroyed with a service.

    Who is refused before anything is looked for hears the same of two things as of four.
    """
    param = param_of(route, right)
    if not param:
        return ("own",)
    if route not in LOOKS_FIRST and refused(Cell(route, right, who, "")):
        return ("own", "nonexistent")
    return THREE if right in OPENED_BY or param in OF_STAFF | OWN_ALONE | {"customer"} else THINGS


# -- what the table says ----------------------------------------------------------------------------------------------


def refused(cell: Cell) -> set[str]:
    """The kinds of refusal that the table leaves for a cell; none where this person may ask that."""
    if cell.right in OPENED_BY:
        return set() if cell.who == OPENED_BY[cell.right] else {"not-signed-in"}
    if cell.who.scopes is not None and is_page(cell.route):
        return {"not-signed-in"}  # no page knows API tokens
    found = judged(RIGHTS[cell.right], cell.who)
    if found == {"denied"} and cell.right in GIVES_UP and cell.who.scopes is None:
        return set()
    return found


def judged(right: Right, who: Persona) -> set[str]:
    if who.state != "active":
        return {"not-signed-in"}
    if who.scopes is not None and right.scope != "*" and right.scope not in who.scopes:
        return {"denied", "not-signed-in"}  # what is done by a session itself does not know tokens at all
    if not go_together(who.held) or not who.held & right.roles:
        return {"denied"}
    if right.customers and not who.agreed:
        return {"not-agreed"}
    if right.rested and not who.rested:
        return {"resting"}
    return set()


def is_theirs(cell: Cell, right: str = "") -> bool:
    """Whether the thing is there for this person, if they have the right."""
    param, right = param_of(cell.route, cell.right), right or cell.right
    if not param:
        return True
    if cell.thing == "nonexistent" or cell.right in OPENED_BY or param in OWN_ALONE:
        return cell.thing == "own"
    if cell.route in SHOWS_WAITING and cell.thing == "other":
        return False
    if param not in {"ticket", "lease"}:
        return True
    if "coordinator" in cell.who.held and right in {
        "ticket.list",
        "ticket.manage",
        "lease.list",
        "lease.revoke",
        "lease.approve",
        "lease.refuse",
    }:
        return True
    return cell.who.on == ("own" if cell.thing == "destroyed" else cell.thing)


def was_judged(cell: Cell) -> bool:
    """Whether an answer shows that the right was there: it was done, or refused for another reason than the asker."""
    return (not cell.kind and cell.status < 500) or cell.kind in {
        "proof-needed",
        "invalid",
        "conflict",
        "ended",
    }


# -- tests ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ghosts(cells: list[Cell]) -> dict[tuple[str, str], Cell]:
    """What everybody hears of what does not exist, by route and person."""
    return {(cell.route, cell.who.name): cell for cell in cells if cell.thing == "nonexistent"}


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01", "AZ22", "AN26")
def test_who_has_no_right_is_refused_by_the_reason_that_the_table_gives(cells: list[Cell]) -> None:
    asked = [cell for cell in cells if refused(cell)]
    assert len(asked) > 3000
    wrong = [cell for cell in asked if not was_refused(cell)]
    assert not wrong, listed(wrong)


def was_refused(cell: Cell) -> bool:
    hidden = cell.route in LOOKS_FIRST and not is_theirs(cell)
    return cell.kind in refused(cell) | ({"not-found"} if hidden else set())


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01")
def test_who_has_the_right_gets_at_what_is_theirs(
    cells: list[Cell], ghosts: dict[tuple[str, str], Cell]
) -> None:
    """Without this a vault that refuses everybody would pass: the rightful owner is in the room."""
    asked = [cell for cell in cells if not refused(cell) and is_theirs(cell)]
    assert len(asked) > 800
    wrong = [cell for cell in asked if not (was_judged(cell) or is_elsewhere(cell, ghosts))]
    assert not wrong, listed(wrong)
    opened = [
        cell for cell in asked if cell.route == "POST /api/v1/leases/{lease_id}/reveal" and cell.status == 200
    ]
    assert {json.loads(cell.said)["value"] for cell in opened} == {LOGIN["password"]}
    assert {cell.who.name for cell in opened} == {
        "technician on the ticket",
        "technician on another's ticket",
        "technician and coordinator",
    }


def is_elsewhere(cell: Cell, ghosts: dict[tuple[str, str], Cell]) -> bool:
    """Whether something else was not there than what the route is about: the certificate, the code, the assignment."""
    ghost = ghosts.get((cell.route, cell.who.name))
    return cell.kind == "not-found" and (
        cell.route in NAMES_NOTHING or (ghost is not None and cell.said != ghost.said)
    )


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ01", "AZ02")
def test_what_is_not_theirs_and_what_does_not_exist_get_the_same_bytes(
    cells: list[Cell], ghosts: dict[tuple[str, str], Cell]
) -> None:
    asked = [cell for cell in cells if not refused(cell) and not is_theirs(cell)]
    assert len(asked) > 300
    wrong = [cell for cell in asked if cell.kind not in NOT_THERE.get(cell.route, {"not-found"})]
    strangers = [cell for cell in asked if not is_theirs(cell, SEEN_BY.get(cell.right, ""))]
    wrong += [cell for cell in strangers if cell.said != ghosts[cell.route, cell.who.name].said]
    assert not wrong, listed(wrong)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ02")
@pytest.mark.parametrize(
    ("who", "foreign"), [(PERSONAS[0], "other"), (PERSONAS[1], "own"), (PERSONAS[2], "own")]
)
def test_no_list_and_no_page_names_what_is_not_theirs(
    company: Everybody, cells: list[Cell], who: Persona, foreign: str
) -> None:
    """Whatever a technician gets at, nothing of another's service is in it."""
    seen = [cell for cell in cells if cell.who == who and not cell.kind]
    ids = company.sides[foreign].ids
    names = {ids[name] for name in ("service", "ticket", "closed", "secret", "request", "customer")}
    names |= {f"The shop of {foreign}", f"{foreign}@customers.example"}
    assert len(seen) > 20
    assert not [(str(cell), name) for cell in seen for name in names if name in cell.said]


@pytest.mark.attack("AZ01")
def test_every_route_of_the_running_application_has_its_row_and_every_row_its_route(app: FastAPI) -> None:
    rights = rights_of(app)
    assert rights["POST /api/v1/leases/{lease_id}/reveal"] == "secret.reveal"
    assert rights["POST /give/secret"] == FORM
    assert {*RIGHTS, *CUSTOMERS_OWN} - set(rights.values()) == set(), "a right that no route asks for"
    page = permission_table.PAGE.read_text("utf-8")
    rows = re.findall(r"^\| (?:`?)([^|`]+)(?:`?) \| `([A-Z]+)` \| `(/[^`]*)` \|$", page, re.MULTILINE)
    assert {f"{method} {path}": right for right, method, path in rows} == rights, "make docs"


def test_a_route_without_a_right_fails(company: Everybody) -> None:
    app = build(company.world.vault)

    @app.get("/api/v1/quiet")
    async def quiet() -> None: ...

    with pytest.raises(LookupError, match="/api/v1/quiet carries no right"):
        rights_of(app)


def test_the_rights_of_the_page_are_those_of_the_policy_and_its_commands_those_of_the_command_line() -> None:
    page = permission_table.PAGE.read_text("utf-8")
    assert set(permission_table.WORDS) == set(RIGHTS)
    fresh = permission_table.tables(rights_of(permission_table.drawn()))
    assert permission_table.page_with(fresh, page) == page, "make docs"


def test_every_command_has_a_row_that_says_what_it_asks_for() -> None:
    application = rights_of(permission_table.drawn())
    commands = permission_table.commands()
    assert {"valetkey show", "valetkey sessions", "valetkey sessions end", "valetkey staff add"} <= set(
        commands
    )
    assert set(permission_table.ALONE) <= set(commands)
    needs = {typed: permission_table.needs_of(typed, run, application) for typed, run in commands.items()}
    assert needs["valetkey show"] == "`session.show`, `presence.prove`, `lease.list`, `secret.reveal`"
    assert needs["valetkey submit"] == FORM
    assert needs["valetkey staff add"].startswith(permission_table.HOST)
    with pytest.raises(LookupError, match="nobody knows"):
        permission_table.needs_of("valetkey quiet", listed, application)


def listed(cells: list[Cell]) -> str:
    return "\n".join(f"{cell}: {cell.said[:200]}" for cell in cells[:40])
