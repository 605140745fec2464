"""How an application is hung behind its gate, the core's and the intake's alike. Nothing here opens."""

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp

from api.errors import install
from api.limits import Limits
from api.security import Gate
from vault.settings import Settings

NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
    "exclude": lambda _scope: True,
}
"""FastAPI's own telemetry records paths, queries and bodies once anybody sets a provider: never here."""


def bare(title: str, version: str = "") -> FastAPI:
    """An application without any of the doors that FastAPI opens by itself, whose refusals have our form."""
    app = FastAPI(
        title=title,
        version=version or "0",
        openapi_url=None,  # api.description serves it, to staff only
        docs_url=None,  # these pages would load third-party script
        redoc_url=None,
        redirect_slashes=False,  # the redirect copies the Host header
        telemetry=NO_TELEMETRY,
    )
    install(app)
    return app


def guarded(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application behind the gate and the limits, as every server of ours must run it."""
    return Gate(Limits(app), settings)
