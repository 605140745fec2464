"""One cell of the table of permissions as a request: who asks which route for which thing, and what comes of it.

What a cell asks is refused after the right was judged wherever the deed would change what other cells look at: without
the proof of presence (401), with a wrong title, date or note (422), for what is over (409, 410). The very same request
is what those who may not are refused for, so that a refusal of its shape would be noticed. What is really done is
harmless here: a field revealed, a customer added, somebody put on the ticket that they are on, a spare session ended.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from api.gate import guarded
from api.security import form_token
from tests.everybody import ANONYMOUS, CUSTOMER, ENROLLING, VISITOR, Everybody, Ids, Persona
from tests.permission_table import FORM
from vault.crypto.encoding import b64
from vault.crypto.suites import XWING
from vault.values import to_datetime

AT_ONCE = 16
PASSKEY = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {"clientDataJSON": "AAAA"}}
STRONG = "eleven brave otters paint the harbour"
NOTE = "it was tried by a test"
LINE = {
    "title": "Other words",
    "because": "to try it",
    "necessity": "than those that were read",
    "approval": "customer",
}
READ = {"digest": "of something else"}
SERVER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHFa+U2XZR6fYFwFZ0PWvhnMTcM7dMeXJRGSbJzLFuOe"

ENDS = {
    "DELETE /api/v1/session",
    "POST /signout",
    "POST /account/sessions/end",
    "POST /api/v1/account/sessions/end-all",
    "POST /mine/leave",
    "DELETE /api/v1/mine/visit",
}
"""These end the session that asks, so each is asked with one of its own, when all else is done."""
NAMES_NOTHING = {
    "POST /device/deny",
    "POST /api/v1/account/totp/confirm",
    "POST /api/v1/account/passkeys",
    "POST /api/v1/presence/{challenge_id}",
    "POST /presence/{challenge_id}",
    "POST /api/v1/mine/passkeys",
}
"""Asked for what is not there whatever the thing: else they would use something up."""
INSTEAD = {
    "POST /api/v1/tickets/{ticket_id}/close": {"ticket": "closed"},
    "POST /tickets/{ticket_id}/close": {"ticket": "closed"},
    "POST /api/v1/leases/{lease_id}/checkin": {"lease": "over"},
    "POST /leases/{lease_id}/checkin": {"lease": "over"},
    "POST /api/v1/leases/{lease_id}/revoke": {"lease": "over"},
    "POST /leases/{lease_id}/revoke": {"lease": "over"},
    "POST /api/v1/leases/{lease_id}/broken": {"lease": "over"},
    "POST /leases/{lease_id}/broken": {"lease": "over"},
    "POST /api/v1/leases/{lease_id}/break-glass": {"lease": "asked"},
    "GET /leases/{lease_id}/break-glass": {"lease": "asked"},
    "POST /leases/{lease_id}/break-glass": {"lease": "asked"},
    "GET /api/v1/approvals/{lease_id}": {"lease": "asked"},
    "POST /api/v1/leases/{lease_id}/approve": {"lease": "asked"},
    "POST /api/v1/leases/{lease_id}/refuse": {"lease": "asked"},
    "GET /approvals/{lease_id}": {"lease": "asked"},
    "POST /approvals/{lease_id}/approve": {"lease": "asked"},
    "POST /approvals/{lease_id}/refuse": {"lease": "asked"},
    "POST /api/v1/staff/{person_id}/disable": {"person": "gone"},
    "POST /people/{person_id}/disable": {"person": "gone"},
    "POST /api/v1/staff/changes/{change_id}/refuse": {"change": "decided"},
    "POST /api/v1/staff/changes/{change_id}/withdraw": {"change": "decided"},
    "POST /people/changes/{change_id}/refuse": {"change": "decided"},
    "POST /people/changes/{change_id}/withdraw": {"change": "decided"},
    "POST /account/sessions/{session_id}/end": {"session": "session on page"},
    "POST /account/tokens/{token_id}/end": {"token": "token on page"},
    "POST /mine/details/passkeys/{factor_id}/remove": {"factor": "factor on page"},
}
"""Which of its things a route is asked for where the usual one would be used up by it."""
QUERIES = {
    "GET /api/v1/search": "?q=shop",
    "GET /search": "?q=shop",
    "GET /api/v1/ledger/inclusion": "?seq=0",
    "GET /api/v1/ledger/consistency": "?from=1&to=2",
}
IN_BODY = {
    "POST /api/v1/tickets": "service",
    "POST /api/v1/tickets/assign": "ticket",
    "POST /tickets/assign": "ticket",
    "POST /api/v1/services": "customer",
}
"""Routes that are told in the body what it is about."""
LED = re.compile(r"/signin.*|/mine")
"""Where a page leads whoever has to say first who they are."""
ENVELOPE = b64(b"VKE1" + bytes([XWING.number]) + bytes(XWING.sealed_key_size + 1024))
"""Of the right shape, and nobody opens it."""

_BODIES: dict[str, Callable[[Ids], dict[str, Any]]] = {
    "POST /api/v1/account/passkeys": lambda ids: {
        "challenge": ids["challenge"],
        "answer": PASSKEY,
        "name": "Key",
    },
    "POST /api/v1/account/password": lambda _: {"password": STRONG},
    "POST /api/v1/account/totp/confirm": lambda _: {"code": "000000"},
    "POST /api/v1/agreement": lambda _: {"version": 999},
    "POST /api/v1/customers": lambda _: {"name": "One More", "mail": "more@customers.example"},
    "POST /api/v1/device": lambda ids: {"user_code": ids["user_code"], "allow": True},
    "POST /api/v1/device/look": lambda ids: {"user_code": ids["user_code"]},
    "POST /api/v1/enrolment/passkey": lambda ids: {
        "challenge": ids["challenge"],
        "answer": PASSKEY,
        "name": "Key",
    },
    "POST /api/v1/enrolment/password": lambda _: {"password": "hunter2"},
    "POST /api/v1/enrolment/totp/confirm": lambda _: {"code": "000000"},
    "POST /api/v1/mine/details": lambda _: {"language": "xx"},
    "POST /api/v1/mine/passkeys": lambda ids: {
        "challenge": ids["challenge"],
        "answer": PASSKEY,
        "name": "Key",
    },
    "POST /api/v1/mine/leases/{lease_id}/approve": lambda _: READ,
    "POST /api/v1/mine/leases/{lease_id}/refuse": lambda _: READ,
    "POST /api/v1/mine/services/{service_id}/end": lambda _: {"confirm": "another title"},
    "POST /api/v1/leases/{lease_id}/approve": lambda _: READ,
    "POST /api/v1/leases/{lease_id}/refuse": lambda _: READ | {"reason": NOTE},
    "POST /api/v1/leases/{lease_id}/break-glass": lambda _: {"reason": f"{NOTE}, and nobody answers at all"},
    "POST /api/v1/reviews/{review_id}/close": lambda _: {"verdict": "not justified", "note": NOTE},
    "POST /api/v1/leases/{lease_id}/broken": lambda ids: {"secret": ids["secret"], "note": NOTE},
    "POST /api/v1/leases/{lease_id}/code": lambda ids: {"secret": ids["secret"]},
    "POST /api/v1/leases/{lease_id}/extend": lambda _: {"minutes": 5},
    "POST /api/v1/leases/{lease_id}/host-key": lambda ids: {"secret": ids["secret"], "line": SERVER_KEY},
    "POST /api/v1/leases/{lease_id}/host-key/show": lambda ids: {"secret": ids["secret"]},
    "POST /api/v1/leases/{lease_id}/use": lambda ids: {"secret": ids["secret"], "field": "password"},
    "POST /api/v1/leases/{lease_id}/reveal": lambda ids: {"secret": ids["secret"], "field": "password"},
    "POST /api/v1/presence/{challenge_id}": lambda _: {"code": "000000"},
    "POST /api/v1/requests/{request_id}/reissue": lambda _: {"deliver": "hand"},
    "POST /api/v1/services": lambda ids: {
        "customer": ids["customer"],
        "type": "installation",
        "title": "A shop",
        "ends_at": to_datetime(0).isoformat(),
    },
    "POST /api/v1/service-types/{type_name}/{kind}/approve": lambda _: LINE,
    "POST /api/v1/services/{service_id}/helpdesk": lambda ids: {"helpdesk": ids["helpdesk"]},
    "POST /api/v1/services/{service_id}/prolong": lambda _: {"ends_at": to_datetime(0).isoformat()},
    "POST /api/v1/services/{service_id}/end": lambda _: {"confirm": "another title"},
    "POST /api/v1/services/{service_id}/requests": lambda _: {"deliver": "mail"},
    "POST /api/v1/staff": lambda _: {
        "name": "New One",
        "mail": "new@agency.example",
        "roles": ["technician"],
    },
    "POST /api/v1/staff/{person_id}/drop-role": lambda _: {"role": "auditor"},
    "POST /api/v1/staff/{person_id}/mail": lambda _: {"mail": "other@agency.example"},
    "POST /api/v1/staff/{person_id}/roles": lambda _: {"roles": ["coordinator", "technician"]},
    "POST /api/v1/tickets": lambda ids: {"service": ids["service"], "number": "", "title": "Some work"},
    "POST /api/v1/tickets/assign": lambda ids: {"tickets": [ids["ticket"]], "person": ids["technician"]},
    "POST /api/v1/services/{service_id}/hand-over": lambda ids: {
        "from_person": ids["technician"],
        "to_person": ids["technician"],
    },
    "POST /api/v1/tickets/{ticket_id}/assign": lambda ids: {"person": ids["technician"]},
    "POST /api/v1/tickets/{ticket_id}/leases": lambda ids: {
        "secrets": [ids["secret"]],
        "minutes": 5,
        "reason": NOTE,
    },
    "POST /api/v1/tickets/{ticket_id}/unassign": lambda ids: {"person": ids["person"]},
    "POST /api/v1/tokens": lambda _: {"name": "Ours", "scopes": ["services:read"], "days": 3},
    "POST /give/again": lambda ids: {"secret": ids["secret"]},
    "POST /give/secret": lambda ids: {
        "secret": ids["secret"],
        "version": 1,
        "envelope": ENVELOPE,
        "sealed_by": "browser",
    },
    # pages
    "POST /give/plain": lambda ids: {"secret": ids["secret"]},
    "POST /account/passkey": lambda _: {"made": "{}", "name": "Key"},
    "POST /account/password": lambda _: {"password": STRONG},
    "POST /account/tokens": lambda _: {"name": "Ours", "scopes": "services:read", "days": "3"},
    "POST /agreement": lambda _: {"version": "999"},
    "POST /approvals/{lease_id}/approve": lambda _: READ,
    "POST /approvals/{lease_id}/refuse": lambda _: READ | {"reason": NOTE},
    "POST /catalogue/{type_name}/{kind}/approve": lambda _: LINE,
    "POST /device": lambda ids: {"user_code": ids["user_code"]},
    "POST /device/allow": lambda ids: {"user_code": ids["user_code"]},
    "POST /leases/{lease_id}/broken": lambda ids: {"secret": ids["secret"], "note": NOTE},
    "POST /leases/{lease_id}/break-glass": lambda _: {"reason": f"{NOTE}, and nobody answers at all"},
    "POST /leases/{lease_id}/code": lambda ids: {"secret": ids["secret"]},
    "POST /leases/{lease_id}/extend": lambda _: {"minutes": "5"},
    "POST /leases/{lease_id}/reveal": lambda ids: {"secret": ids["secret"], "field": "password"},
    "POST /people/invite": lambda _: {"name": "New One", "mail": "new@agency.example", "roles": "technician"},
    "POST /people/{person_id}/mail": lambda _: {"mail": "other@agency.example"},
    "POST /people/{person_id}/roles": lambda _: {"roles": "technician"},
    "POST /people/{person_id}/roles/drop": lambda _: {"role": "auditor"},
    "POST /presence/{challenge_id}": lambda _: {"code": "000000"},
    "POST /reviews/{review_id}/close": lambda _: {"verdict": "not justified", "note": NOTE},
    "POST /services/new": lambda _: {"type": "removal"},
    "POST /services/{service_id}/connect": lambda ids: {"helpdesk": ids["helpdesk"]},
    "POST /services/{service_id}/end": lambda _: {"confirm": "another title"},
    "POST /services/{service_id}/prolong": lambda _: {"ends_at": "1970-01-01"},
    "POST /services/{service_id}/requests": lambda _: {"kinds": "ssh-password", "deliver": "mail"},
    "POST /services/{service_id}/requests/{request_id}": lambda _: {"deliver": "mail"},
    "POST /services/{service_id}/tickets": lambda _: {"number": "", "work": "Some work"},
    "POST /services/{service_id}/hand-over": lambda ids: {"from": ids["technician"], "to": ids["technician"]},
    "POST /tickets/assign": lambda ids: {"tickets": ids["ticket"], "person": ids["technician"]},
    "POST /tickets/{ticket_id}/assign": lambda ids: {"person": ids["technician"]},
    "POST /tickets/{ticket_id}/leases": lambda ids: {
        "secrets": ids["secret"],
        "minutes": "5",
        "reason": NOTE,
    },
    "POST /tickets/{ticket_id}/unassign": lambda ids: {"person": ids["person"]},
}


@dataclass(frozen=True)
class Cell:
    """One request: who asks which route for which thing; and what came of it."""

    route: str
    right: str
    who: Persona
    thing: str
    status: int = 0
    kind: str = ""
    """The last word of the problem's type; empty where it is no problem."""
    said: str = ""
    """The answer, without what differs from one asking to the next."""

    def __str__(self) -> str:
        return f"{self.who.name}: {self.route} ({self.thing}) -> {self.status} {self.kind}"


HANDED_IN = {"POST /give/again", "POST /give/secret", "POST /give/plain"}
"""Where a form names one of its own secrets."""


def param_of(route: str, right: str) -> str:
    """What a route is about: the name of its id in the address or in the body; nothing where it names no thing."""
    named = re.search(r"\{(\w+?)(?:_id)?\}", route)
    if right == FORM:
        return "secret" if route in HANDED_IN else ""
    return named[1] if named else IN_BODY.get(route, "")


# -- asking -----------------------------------------------------------------------------------------------------------


async def ask_all(company: Everybody, app: FastAPI, cells: list[Cell]) -> list[Cell]:
    settings = company.world.settings
    transport = ASGITransport(guarded(app, settings), client=("192.0.2.7", 4711))
    turn = asyncio.Semaphore(AT_ONCE)
    async with AsyncClient(transport=transport, base_url=settings.base_url, timeout=60) as client:

        async def ask(cell: Cell) -> Cell:
            async with turn:
                return await _ask(company, client, cell)

        return await asyncio.gather(*map(ask, cells))


async def _ask(company: Everybody, client: AsyncClient, cell: Cell) -> Cell:
    ids = dict(company.ids(cell.who, cell.thing)) | {"user_code": company.user_code}
    ids |= {name: ids.get(other, ids[name]) for name, other in INSTEAD.get(cell.route, {}).items()}
    if cell.route in NAMES_NOTHING:
        ids |= {"challenge": company.ids(cell.who, "nonexistent")["challenge"]}
    if cell.right == FORM:
        ids["secret"] = company.asked[cell.thing]
    method, path = cell.route.split(" ", 1)
    path = re.sub(r"\{(\w+?)(?:_id)?\}", lambda named: ids[named[1]], path) + QUERIES.get(cell.route, "")
    headers, token = await _credentials(company, cell)
    body = _BODIES[cell.route](ids) if cell.route in _BODIES else {}
    headers |= {"accept": "application/problem+json", "origin": company.world.settings.origin}
    if method == "GET":
        answer = await client.request(method, path, headers=headers)
    elif is_page(cell.route):
        answer = await client.request(
            method, path, headers=headers, data=body | {"form_token": form_token(token)}
        )
    else:
        answer = await client.request(method, path, headers=headers, json=body)
    return _answered(cell, answer)


async def _credentials(company: Everybody, cell: Cell) -> tuple[dict[str, str], str]:
    """What somebody sends to be known by, and the token under which forms are made for them."""
    if cell.who in (ANONYMOUS, CUSTOMER):
        return ({} if cell.who == ANONYMOUS else {"cookie": f"__Host-vk_give={company.form}"}), ""
    if cell.who == VISITOR:
        token = await company.another_visit() if cell.route in ENDS else company.visit
        return {"cookie": f"__Host-vk_mine={token}"}, token
    token, cookie = company.enrolment, "__Host-vk_enrol"
    if cell.who != ENROLLING:
        token, cookie = company.planted[cell.who.name].token, "__Host-vk_session"
        if cell.route in ENDS and cell.who.scopes is None:
            token = await company.another_session(cell.who)
    if is_page(cell.route) and cell.who.scopes is None:
        return {"cookie": f"{cookie}={token}"}, token
    return {"authorization": f"Bearer {token}"}, token


def is_page(route: str) -> bool:
    return not route.split(" ", 1)[1].startswith(("/api/", "/give/secret"))


def _answered(cell: Cell, answer: Response) -> Cell:
    kind, said = "", answer.text
    if answer.headers.get("content-type") == "application/problem+json":
        problem = answer.json()
        problem.pop("challenge", None)
        kind, said = problem["type"].rpartition(":")[2], json.dumps(problem)
    elif cell.route.startswith("GET ") and LED.fullmatch(answer.headers.get("location", "")):
        kind = "not-signed-in"
    elif answer.status_code == 404:  # a page that says it in its own words
        kind = "not-found"
    return replace(cell, status=answer.status_code, kind=kind, said=said)
