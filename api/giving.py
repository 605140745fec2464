"""Where the intake hangs, in the whole application and in a process of its own."""

from fastapi import FastAPI
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from api.intake.app import create_intake
from api.intake.door import Door
from api.pages.templates import STATIC
from vault.settings import Settings


def hang_intake(app: FastAPI, door: Door, settings: Settings) -> None:
    """Put the customers' form under /give, and what its pages are drawn with under /static."""

    @app.get("/give", include_in_schema=False)
    async def with_slash() -> RedirectResponse:
        return RedirectResponse(
            "/give/", 308
        )  # the fragment with the code stays in the browser and goes along

    app.mount("/give", create_intake(door, settings))
    app.mount("/static", StaticFiles(directory=STATIC))
