"""A page for somebody who is signed in: who they are, where they can go, and forms that only this session can send."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response

from api.depends import PageActor, TheVault
from api.pages.templates import environment, shown
from api.security import SAFE_METHODS, SESSION_COOKIE, cookie_named, form_token
from vault.errors import NotSignedIn
from vault.model.kinds import KINDS
from vault.model.views import SessionView
from vault.operations import sessions

TEMPLATES = environment()
TEMPLATES.globals["kinds"] = KINDS

WAYS = {
    "technician": (("/", "Desk"),),
    "coordinator": (("/", "Services"), ("/tickets", "Tickets"), ("/leases", "Leases")),
    "auditor": (("/log", "Log"),),
    "administrator": (("/", "Staff"),),
}


class PageRoute(APIRoute):
    """Leads whoever is not signed in to where they can do so, instead of an error."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's own handler."""
        handler = super().get_route_handler()

        async def led(request: Request) -> Response:
            try:
                return await handler(request)
            except NotSignedIn:
                if request.method not in SAFE_METHODS:
                    raise
                return RedirectResponse("/signin", 303)

        return led


class Sheet:
    """The letterhead of one signed-in person."""

    def __init__(self, session: SessionView, business: str, path: str, token: str) -> None:
        self.session = session
        self.role = session.person.role
        self._context: dict[str, Any] = {
            "session": session,
            "business": business,
            "ways": WAYS.get(self.role, ()),
            "path": path,
            "form_token": form_token(token),
        }

    def shown(self, name: str, status: int = 200, **context: Any) -> Response:
        """Show a template to this person."""
        return shown(TEMPLATES, name, status, **self._context, **context)


async def _sheet(request: Request, vault: TheVault, actor: PageActor) -> Sheet:
    session = await vault.read(sessions.session, actor)
    token = cookie_named(request.headers, SESSION_COOKIE)
    return Sheet(session, vault.settings.business, request.url.path, token)


OwnSheet = Annotated[Sheet, Depends(_sheet)]
"""The paper for whoever is signed in."""
