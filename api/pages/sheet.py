"""A page for somebody who is signed in: who they are, where they can go, and forms that only this session can send."""

import re
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from api.depends import PageActor, TheVault
from api.led import led
from api.pages.downloads import name_of
from api.pages.templates import environment, shown
from api.security import SAFE_METHODS, SESSION_COOKIE, cookie_named, form_token
from vault.model.desk_views import WAY_WORDS
from vault.model.kinds import KINDS
from vault.model.views import SessionView
from vault.operations.people import sessions

TEMPLATES = environment()
TEMPLATES.globals["kinds"] = KINDS
TEMPLATES.globals["way_words"] = WAY_WORDS
TEMPLATES.globals["file_name"] = name_of

WAYS = {
    "technician": (("/", "Desk"), ("/search", "Search")),
    "coordinator": (
        ("/", "Board"),
        ("/services", "Services"),
        ("/customers", "Customers"),
        ("/tickets", "Tickets"),
        ("/leases", "Leases"),
        ("/approvals", "Approvals"),
        ("/reviews", "Reviews"),
        ("/search", "Search"),
    ),
    "auditor": (("/log", "Log"), ("/reviews", "Reviews")),
    "administrator": (("/people", "People"),),
}
EVERYBODYS = (("/catalogue", "Catalogue"),)
BOTH = (("/", "Overview"), *WAYS["coordinator"][1:])
"""Who coordinates and delivers has board and desk on one page."""

_BACK = re.compile(r"/device|/presence/chl_[0-9a-hjkmnp-tv-z]{20}", re.ASCII)


def way_back(raw: str) -> str:
    """Where to go after signing in: to one of the pages that somebody is led to from outside, else to the start."""
    return raw if _BACK.fullmatch(raw) else "/"


def _to_sign_in(request: Request) -> Response | None:
    if request.method not in SAFE_METHODS:
        return None
    back = way_back(request.url.path)
    return RedirectResponse("/signin" if back == "/" else f"/signin?to={back}", 303)


PageRoute = led(_to_sign_in)
"""A page for somebody who is signed in."""


class Sheet:
    """The letterhead of one signed-in person."""

    def __init__(self, session: SessionView, business: str, path: str, token: str) -> None:
        self.session = session
        self.roles = frozenset(session.person.roles)
        self._context: dict[str, Any] = {
            "session": session,
            "business": business,
            "ways": _ways_of(self.roles),
            "path": path,
            "form_token": form_token(token),
        }

    def shown(self, name: str, status: int = 200, **context: Any) -> Response:
        """Show a template to this person."""
        return shown(TEMPLATES, name, status, **self._context, **context)


def _ways_of(roles: frozenset[str]) -> tuple[tuple[str, str], ...]:
    if roles >= {"technician", "coordinator"}:
        return BOTH + EVERYBODYS
    return tuple(way for role in WAYS if role in roles for way in WAYS[role]) + EVERYBODYS


async def _sheet(request: Request, vault: TheVault, actor: PageActor) -> Sheet:
    session = await vault.read(sessions.session, actor)
    token = cookie_named(request.headers, SESSION_COOKIE)
    return Sheet(session, vault.settings.business, request.url.path, token)


OwnSheet = Annotated[Sheet, Depends(_sheet)]
"""The paper for whoever is signed in."""
