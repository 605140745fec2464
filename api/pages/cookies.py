"""What the pages leave in a browser: a session, that the browser is known, an enrolment on its way."""

from starlette.responses import Response

from api.security import SESSION_COOKIE
from vault.operations.people.browsers import KNOWN_FOR
from vault.operations.people.sessions import SignedIn
from vault.values import SECOND

KNOWN_COOKIE = "__Host-vk_known"
ENROL_COOKIE = "__Host-vk_enrol"


def give(answer: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Leave a cookie that only this host, only over TLS, and no script and no other site can use."""
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")


def take(answer: Response, *names: str) -> None:
    """Take cookies back."""
    for name in names:
        answer.delete_cookie(name, path="/", secure=True, httponly=True, samesite="strict")


def give_session(answer: Response, signed: SignedIn) -> None:
    """Leave a fresh session in place of whatever the browser had, and know the browser from now on."""
    give(answer, SESSION_COOKIE, signed.token)
    give(answer, KNOWN_COOKIE, signed.known_browser, KNOWN_FOR // SECOND)
