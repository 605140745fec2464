"""The customer's form: an application of its own that passes on what is sealed and cannot open anything."""

import re
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from api import errors
from api.gate import NO_TELEMETRY
from api.intake.door import Door
from api.intake.pages import Pages, form_fields, reads_html
from api.limits import read_json
from api.pages.templates import STATIC
from api.security import GIVE_COOKIE, cookie_named
from api.source import source_of
from vault.crypto.tokens import new_token
from vault.errors import Invalid, NotSignedIn, Unavailable, VaultError
from vault.model.messages import Begin, Done, Form, Give, Look, Receipt, SealedBy
from vault.settings import Settings

GIVE_HEADER = "valetkey-give"
"""Where the command line carries its token; browsers have the cookie."""
LONGEST_CODE = 100
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)


class BeginBody(BaseModel):
    """An intake code, as a program gives it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)
    code: str = Field(max_length=LONGEST_CODE, repr=False)


class GiveBody(BaseModel):
    """One sealed secret. What the intake itself seals comes by the plain form: nobody else can claim that."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)
    secret: str = Field(max_length=40)
    version: int = Field(ge=1, le=1_000_000)
    envelope: str = Field(max_length=2_900_000, repr=False)
    sealed_by: Literal["browser", "client"]


async def _customer(request: Request) -> str:
    token = request.headers.get(GIVE_HEADER) or cookie_named(request.headers, GIVE_COOKIE)
    if not token or len(token) > LONGEST_CODE:
        raise NotSignedIn("this form has not been opened here yet: use your intake code")
    return token


Customer = Annotated[str, Depends(_customer)]
"""The token of a browser, or a command line, that has begun."""


class _Intake(FastAPI):
    """Has the same addresses when it is served alone as when it is mounted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        alone = scope["type"] == "http" and not scope.get("root_path")
        await super().__call__({**scope, "root_path": "/give"} if alone else scope, receive, send)


def create_intake(door: Door, settings: Settings) -> FastAPI:
    """Make the application for /give, mounted there or served alone; put `api.gate.guarded` around it.

    It holds neither key nor database: only `door` leads further.
    """
    app = _Intake(
        title="Valetkey intake",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    errors.install(app)
    app.state.trusted_proxies = settings.trusted_proxies
    pages = Pages(settings)
    app.add_exception_handler(VaultError, pages.on_refusal)
    _add_opening(app, door, pages)
    _add_giving(app, door, pages)
    _add_json(app, door)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app


def _add_opening(app: FastAPI, door: Door, pages: Pages) -> None:
    @app.get("/")
    async def form_page(request: Request, secret: str = "") -> Response:
        browser = cookie_named(request.headers, GIVE_COOKIE)
        return pages.form(await _look(door, browser), secret) if browser else pages.begin()

    @app.get("")
    async def without_slash() -> Response:
        return RedirectResponse("/give/", 308)

    @app.get("/begin")
    async def begin_page() -> Response:
        return pages.begin()

    @app.post("/begin")
    async def begin(request: Request) -> Response:
        if not reads_html(request):
            return await _begin_by_program(request, door)
        code = form_fields(await request.body()).get("code", "")
        browser = new_token("vk_giv")
        try:
            await _begun(request, door, code, browser)
        except VaultError as refusal:
            return pages.begin(refusal)
        return _with_cookie(RedirectResponse("/give/", 303), browser)


def _add_giving(app: FastAPI, door: Door, pages: Pages) -> None:
    @app.post("/plain")
    async def plain_secret(browser: Customer, request: Request) -> Response:
        fields = form_fields(await request.body())
        form = await _look(door, browser)
        item, typed, faults = pages.judged(form, fields)
        if faults:
            return pages.form(form, item.secret, typed, faults, status=422)
        envelope = pages.sealed(form, item, typed)
        receipt = await _give(door, browser, item.secret, item.version, envelope, "intake")
        return RedirectResponse(f"/give/thanks?reference={receipt.reference}", 303)

    @app.get("/thanks")
    async def thanks(browser: Customer, reference: str = "") -> Response:
        return pages.thanks(await _look(door, browser), reference if _REFERENCE.fullmatch(reference) else "")

    @app.post("/done")
    async def done(browser: Customer, request: Request) -> Response:
        form = _form(await door.ask(Done(browser=browser)))
        if reads_html(request):
            return RedirectResponse("/give/thanks", 303)
        return JSONResponse(form.model_dump(mode="json"))


def _add_json(app: FastAPI, door: Door) -> None:
    @app.get("/form")
    async def form(browser: Customer) -> Response:
        return JSONResponse((await _look(door, browser)).model_dump(mode="json"))

    @app.post("/secret")
    async def sealed_secret(browser: Customer, body: GiveBody) -> Response:
        receipt = await _give(door, browser, body.secret, body.version, body.envelope, body.sealed_by)
        return JSONResponse(receipt.model_dump(mode="json"))


async def _begin_by_program(request: Request, door: Door) -> Response:
    """Begin for the command line, which keeps the token itself, or for a script, which gets the cookie."""
    try:
        code = BeginBody.model_validate(read_json(await request.body())).code
    except ValidationError:
        raise Invalid("send the intake code as {“code”: …}", "/code") from None
    browser = new_token("vk_giv")
    shown = (await _begun(request, door, code, browser)).model_dump(mode="json")
    if request.headers.get("valetkey-client") == "cli":
        return JSONResponse({**shown, "token": browser})
    return _with_cookie(JSONResponse(shown), browser)


async def _begun(request: Request, door: Door, code: str, browser: str) -> Form:
    if not 0 < len(code) <= LONGEST_CODE:
        raise Invalid("that is not an intake code", "/code")
    source = source_of(request, request.app.state.trusted_proxies)
    return _form(await door.ask(Begin(code=code, browser=browser, source=source)))


def _with_cookie(answer: Response, browser: str) -> Response:
    answer.set_cookie(GIVE_COOKIE, browser, path="/", secure=True, httponly=True, samesite="strict")
    return answer


async def _look(door: Door, browser: str) -> Form:
    if len(browser) > LONGEST_CODE:
        raise NotSignedIn("this form has not been opened here yet: use your intake code")
    return _form(await door.ask(Look(browser=browser)))


async def _give(door: Door, browser: str, secret: str, version: int, envelope: str, by: SealedBy) -> Receipt:
    message = Give(browser=browser, secret=secret, version=version, envelope=envelope, sealed_by=by)
    answer = await door.ask(message)
    if not isinstance(answer, Receipt):
        raise Unavailable("the vault answered something else than a receipt")
    return answer


def _form(answer: Form | Receipt) -> Form:
    if not isinstance(answer, Form):
        raise Unavailable("the vault answered something else than a form")
    return answer
