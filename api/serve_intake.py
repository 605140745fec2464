"""`valetkey serve --intake-only`: the form alone, in a process with neither key nor database."""

import uvloop
from starlette.types import ASGIApp

from api import server
from api.gate import bare, guarded
from api.giving import hang_intake
from api.intake.door import Door, SocketDoor
from vault.settings import Settings


def serve_intake(settings: Settings) -> None:
    """Serve the customers' form until a signal ends it; all else is asked of the core over its socket."""
    server.prepare()
    uvloop.run(server.run(create_alone(SocketDoor(settings.intake_socket), settings), settings))


def create_alone(door: Door, settings: Settings) -> ASGIApp:
    """The form under the same addresses as in the whole application, and nothing else of it."""
    app = bare("Valetkey intake")

    @app.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    hang_intake(app, door, settings)
    return guarded(app, settings)
