"""`valetkey serve --intake-only`: the form alone, in a process with neither key nor database."""

import uvloop

from api import server
from api.gate import guarded
from api.intake.app import create_intake
from api.intake.door import SocketDoor
from vault.settings import Settings


def serve_intake(settings: Settings) -> None:
    """Serve the customers' form until a signal ends it; all else is asked of the core over its socket."""
    server.prepare()
    app = create_intake(SocketDoor(settings.intake_socket), settings)
    uvloop.run(server.run(guarded(app, settings), settings))
