"""`valetkey serve`, in its two kinds."""

from vault.settings import Settings


def serve(settings: Settings, *, intake_only: bool = False) -> None:
    """Run the server until it is stopped: the whole vault, or the customers' form alone.

    Raises Unavailable when this process or its deployment is not fit to serve.
    """
    # each kind is imported by itself, so that the intake's own process never loads what can open a secret
    if intake_only:
        from api.serve_intake import serve_intake  # noqa: PLC0415

        serve_intake(settings)
    else:
        from api.serve_core import serve_core  # noqa: PLC0415

        serve_core(settings)
