"""How an application is hung behind its gate, the core's and the intake's alike. Nothing here opens."""

from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp

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


def guarded(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application behind the gate and the limits, as every server of ours must run it."""
    return Gate(Limits(app), settings)
