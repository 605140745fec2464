"""Routes that lead whoever is not signed in to where they can go on, instead of an error."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from vault.errors import NotSignedIn


def led(instead: Callable[[Request], Response | None]) -> type[APIRoute]:
    """A class of routes that answer so; where `instead` gives None, the error is the right answer."""

    class LedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()

            async def answered(request: Request) -> Response:
                try:
                    return await handler(request)
                except NotSignedIn:
                    answer = instead(request)
                    if answer is None:
                        raise
                    return answer

            return answered

    return LedRoute
