"""The customer's form: an application of its own that passes on what is sealed and cannot open anything."""

from contextlib import suppress
from typing import Annotated, Literal, TypeVar
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from api import errors
from api.gate import NO_TELEMETRY
from api.intake.answers import form_fields, judged
from api.intake.door import Door
from api.intake.pages import Pages, reads_html
from api.intake.steps import owes_terms
from api.pages.templates import STATIC
from api.security import GIVE_COOKIE, cookie_named
from api.source import source_of
from vault.crypto.tokens import new_token
from vault.errors import (
    Conflict,
    Ended,
    Invalid,
    NotFound,
    NotSignedIn,
    PinNeeded,
    Unavailable,
    VaultError,
)
from vault.languages import LANGUAGES, Translation, marked, translation, wished
from vault.model.messages import Accept, Again, Begin, Done, Form, FormItem, Give, Look, Receipt, Speak
from vault.sentences import Sentence
from vault.settings import Settings
from vault.strict_json import read_json

_NOT_OPENED = Sentence("this form has not been opened here yet: use your intake code")
GIVE_HEADER = "valetkey-give"
"""Where the command line carries its token; browsers have the cookie."""
LONGEST_CODE = 100
LONGEST_PIN = 20
LONGEST_LANGUAGE = 10
LONGEST_ENVELOPE = 2_900_000
"""Characters; as the message to the core allows."""


class Body(BaseModel):
    """What a program sends."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)


class BeginBody(Body):
    """An intake code, and what was told by telephone where the request has a PIN."""

    code: str = Field(max_length=LONGEST_CODE, repr=False)
    pin: str = Field(default="", max_length=LONGEST_PIN, repr=False)


class AcceptBody(Body):
    """The terms that were read and accepted."""

    version: int = Field(ge=1, le=1_000_000)


class SpeakBody(Body):
    """The language that the customer is to be spoken to in."""

    language: str = Field(max_length=LONGEST_LANGUAGE)


class AgainBody(Body):
    """Which secret is to be given anew."""

    secret: str = Field(max_length=40)


class GiveBody(Body):
    """One sealed secret. What the intake itself seals comes by the plain form: nobody else can claim that."""

    secret: str = Field(max_length=40)
    version: int = Field(ge=1, le=1_000_000)
    envelope: str = Field(max_length=LONGEST_ENVELOPE, repr=False)
    sealed_by: Literal["browser", "client"]
    kind: str = Field(default="", max_length=40)
    sure: bool = False


B = TypeVar("B", bound=Body)


async def _customer(request: Request) -> str:
    token = request.headers.get(GIVE_HEADER) or cookie_named(request.headers, GIVE_COOKIE)
    if not token or len(token) > LONGEST_CODE:
        raise NotSignedIn(_NOT_OPENED)
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
    _add_refusing(app, door, pages)
    _add_opening(app, door, pages)
    _add_accepting(app, door, pages)
    _add_choosing(app, door)
    _add_giving(app, door, pages)
    _add_ending(app, door, pages)
    _add_json(app, door)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app


def _add_refusing(app: FastAPI, door: Door, pages: Pages) -> None:
    async def on_refusal(request: Request, error: Exception) -> Response:
        refusal = error if isinstance(error, VaultError) else VaultError()
        return pages.refused(await _spoken(request, door, refusal), request, refusal)

    app.add_exception_handler(VaultError, on_refusal)


def _add_opening(app: FastAPI, door: Door, pages: Pages) -> None:
    @app.get("/")
    async def form_page(request: Request, secret: str = "", kind: str = "", given: str = "") -> Response:
        browser = cookie_named(request.headers, GIVE_COOKIE)
        if not browser:
            return pages.begin(_wished(request))
        return pages.now(await _look(door, browser), secret, kind, given)

    @app.get("")
    async def without_slash() -> Response:
        return RedirectResponse("/give/", 308)

    @app.get("/begin")
    async def begin_page(request: Request) -> Response:
        return pages.begin(_wished(request))

    @app.post("/begin")
    async def begin(request: Request) -> Response:
        if not reads_html(request):
            return await _begin_by_program(request, door)
        return await _begin_by_page(request, door, pages)


def _add_accepting(app: FastAPI, door: Door, pages: Pages) -> None:
    @app.post("/accept")
    async def accept(browser: Customer, request: Request) -> Response:
        if not reads_html(request):
            version = _read(AcceptBody, await request.body()).version
            return _as_json(_form(await door.ask(Accept(browser=browser, version=version))))
        fields = form_fields(await request.body())
        form = await _look(door, browser)
        if form.terms is None or not owes_terms(form):
            return RedirectResponse("/give/", 303)
        if fields.get("accept") != "yes":
            return pages.letter(form, marked("Read the terms and tick the box, if you accept them"))
        if fields.get("version") != str(form.terms.version):
            return pages.letter(
                form, marked("The terms have changed since you opened this page. Please read them again")
            )
        form = _form(await door.ask(Accept(browser=browser, version=form.terms.version)))
        return RedirectResponse(f"/give/?secret={quote(fields.get('secret', '')[:40])}", 303)


def _add_choosing(app: FastAPI, door: Door) -> None:
    @app.post("/language")
    async def choose_language(browser: Customer, request: Request) -> Response:
        by_page, body = reads_html(request), await request.body()
        chosen = form_fields(body).get("language", "") if by_page else _read(SpeakBody, body).language
        form = _form(await door.ask(Speak(browser=browser, language=chosen[:LONGEST_LANGUAGE])))
        return RedirectResponse("/give/", 303) if by_page else _as_json(form)


def _add_giving(app: FastAPI, door: Door, pages: Pages) -> None:
    @app.post("/plain")
    async def plain_secret(browser: Customer, request: Request) -> Response:
        form = await _look(door, browser)
        answer = judged(form, form_fields(await request.body()))
        item = answer.item
        if not answer.is_good:
            return pages.secret(form, answer, status=422)
        message = Give(
            browser=browser,
            secret=item.secret,
            version=item.version,
            envelope=pages.sealed(form, answer),
            sealed_by="intake",
            kind=_offered(item, answer.kind.name),
            sure=answer.sure,
        )
        try:
            await _give(door, message)
        except Invalid as fault:  # the core's check: the form asks again, for a newer version
            form = await _look(door, browser)
            item = next((one for one in form.items if one.secret == item.secret), item)
            return pages.secret(form, answer.refused(item, fault), status=422)
        return RedirectResponse(f"/give/?given={item.secret}", 303)

    @app.post("/again")
    async def again(browser: Customer, request: Request) -> Response:
        by_page = reads_html(request)
        body = await request.body()
        secret = form_fields(body).get("secret", "")[:40] if by_page else _read(AgainBody, body).secret
        form = _form(await door.ask(Again(browser=browser, secret=secret)))
        return RedirectResponse(f"/give/?secret={quote(secret)}", 303) if by_page else _as_json(form)


def _add_ending(app: FastAPI, door: Door, pages: Pages) -> None:
    @app.get("/check")
    async def check(browser: Customer) -> Response:
        form = await _look(door, browser)
        return pages.thanks(form) if form.state == "done" else pages.check(form)

    @app.get("/thanks")
    async def thanks(browser: Customer) -> Response:
        return pages.now(await _look(door, browser))

    @app.post("/done")
    async def done(browser: Customer, request: Request) -> Response:
        form = _form(await door.ask(Done(browser=browser)))
        return RedirectResponse("/give/thanks", 303) if reads_html(request) else _as_json(form)


def _add_json(app: FastAPI, door: Door) -> None:
    @app.get("/form")
    async def form(browser: Customer) -> Response:
        return _as_json(await _look(door, browser))

    @app.post("/secret")
    async def sealed_secret(browser: Customer, body: GiveBody) -> Response:
        return _as_json(await _give(door, Give(browser=browser, **body.model_dump())))


def _offered(item: FormItem, kind: str) -> str:
    """How a message names the kind: only where it is not the one that was asked for."""
    return "" if kind == item.kind else kind


def _as_json(answer: Form | Receipt) -> Response:
    return JSONResponse(answer.model_dump(mode="json"))


def _read(model: type[B], body: bytes) -> B:
    """Read a program's JSON as that model. Raises Invalid, and repeats nothing of it."""
    try:
        return model.model_validate(read_json(body))
    except ValidationError:
        names = ", ".join(f"“{name}”: …" for name in model.model_fields)
        raise Invalid(f"send this as {{{names}}}", f"/{next(iter(model.model_fields))}") from None


async def _begin_by_page(request: Request, door: Door, pages: Pages) -> Response:
    """Begin for a page: with the code, then the PIN; or show it in another language first."""
    fields = form_fields(await request.body())
    # whoever copied the whole link is as welcome
    code, pin = fields.get("code", "").rpartition("#")[2].strip(), fields.get("pin", "")
    chosen = _one_of_ours(fields.get("speak") or fields.get("language", ""))
    spoken = translation(chosen) if chosen else _wished(request)
    if "speak" in fields:  # no PIN is tried and no code is used by that
        page = pages.pin if "pin" in fields else pages.begin
        return page(spoken, code=code[:LONGEST_CODE], chosen=chosen)
    try:
        form, browser = await _begun(request, door, code, pin)
    except PinNeeded as refusal:
        return pages.pin(spoken, refusal if "pin" in fields else None, code, chosen)
    except VaultError as refusal:
        return pages.begin(spoken, refusal, chosen=chosen)
    if chosen and chosen != form.language:
        with suppress(VaultError):  # it can be chosen again on the form
            await door.ask(Speak(browser=browser, language=chosen))
    return _with_cookie(RedirectResponse("/give/", 303), form, browser)


async def _begin_by_program(request: Request, door: Door) -> Response:
    """Begin for the command line, which keeps the token itself, or for a script, which gets the cookie."""
    body = _read(BeginBody, await request.body())
    form, browser = await _begun(request, door, body.code, body.pin)
    if request.headers.get("valetkey-client") == "cli":
        return JSONResponse({**form.model_dump(mode="json"), "token": browser})
    return _with_cookie(_as_json(form), form, browser)


async def _begun(request: Request, door: Door, code: str, pin: str) -> tuple[Form, str]:
    """Exchange a code for its form and the token that this browser has for it from now on.

    A browser that has begun keeps its token, so that the same link leads back to the same form; but only a token
    that opens a form is taken up, and never for a second request: then there is a fresh one.
    """
    if not 0 < len(code) <= LONGEST_CODE or len(pin) > LONGEST_PIN:
        raise Invalid(Sentence("that is not an intake code"), "/code")
    source = source_of(request, request.app.state.trusted_proxies)
    held = request.headers.get(GIVE_HEADER) or cookie_named(request.headers, GIVE_COOKIE)
    if held and await _opens_a_form(door, held):
        try:
            message = Begin(code=code, browser=held, pin=pin, source=source)
            return _form(await door.ask(message)), held
        except Conflict:
            pass  # this browser has another form open: the new code is for its own
    fresh = new_token("vk_giv")
    return _form(await door.ask(Begin(code=code, browser=fresh, pin=pin, source=source))), fresh


async def _opens_a_form(door: Door, browser: str) -> bool:
    try:
        await _look(door, browser)
    except (NotSignedIn, NotFound, Ended):
        return False
    return True


def _wished(request: Request) -> Translation:
    """What is said in the language that a browser wishes for: before there is a form, nobody knows better."""
    return translation(wished(request.headers.get("accept-language", "")))


async def _spoken(request: Request, door: Door, refusal: VaultError) -> Translation:
    """What is said in the language of whose form a browser holds, as far as that can be known; programs hear English.

    A core that is away is not asked again.
    """
    browser = cookie_named(request.headers, GIVE_COOKIE)
    if browser and not isinstance(refusal, Unavailable):
        with suppress(VaultError):
            return translation((await _look(door, browser)).language)
    return translation(LANGUAGES[0]) if GIVE_HEADER in request.headers else _wished(request)


def _one_of_ours(language: str) -> str:
    return language if language in LANGUAGES else ""


def _with_cookie(answer: Response, form: Form, browser: str) -> Response:
    """Give this browser its token for as long as the code would have lasted: so one can come back."""
    until = form.code_expires_at
    answer.set_cookie(
        GIVE_COOKIE, browser, expires=until, path="/", secure=True, httponly=True, samesite="strict"
    )
    return answer


async def _look(door: Door, browser: str) -> Form:
    if len(browser) > LONGEST_CODE:
        raise NotSignedIn(_NOT_OPENED)
    return _form(await door.ask(Look(browser=browser)))


async def _give(door: Door, message: Give) -> Receipt:
    answer = await door.ask(message)
    if not isinstance(answer, Receipt):
        raise Unavailable("the vault answered something else than a receipt")
    return answer


def _form(answer: Form | Receipt) -> Form:
    if not isinstance(answer, Form):
        raise Unavailable("the vault answered something else than a form")
    return answer
