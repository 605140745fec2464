"""What customers see: the letter that asks, the questions, the receipt, and every refusal in their words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.errors import STATUS, problem_of
from api.intake import fallback
from api.pages.templates import environment, shown
from vault.errors import Ended, Invalid, NotFound, NotSignedIn, VaultError
from vault.model.kinds import KINDS, Kind
from vault.model.messages import Form, FormItem
from vault.settings import Settings

_TEMPLATES = environment(Path(__file__).parent / "templates")
_MOST_FIELDS = 30
_PREFIX = "field."
"""Before the names of a secret's fields, so that no kind can ever clash with the form's own."""


def form_fields(body: bytes) -> dict[str, str]:
    """Read a form's fields, byte for byte. Raises Invalid for other encodings and for a name given twice."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise Invalid("this form was not sent as its page sends it") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Invalid("this form was not sent as its page sends it")
    return fields


def reads_html(request: Request) -> bool:
    """Whether a form of a page asks, and not a program."""
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


class Pages:
    """The pages of one deployment's intake."""

    def __init__(self, settings: Settings) -> None:
        self._place = settings.statement_key_place
        self._business = settings.business

    def _shown(self, name: str, status: int = 200, **context: Any) -> Response:
        return shown(_TEMPLATES, name, status, business=self._business, **context)

    def begin(self, refusal: VaultError | None = None) -> Response:
        """Ask for the intake code, and say what was wrong with the one before."""
        sentence = ""
        match refusal:
            case None:
                pass
            case Ended():
                sentence = "This code has been used or its time is over. Ask us for a new one"
            case Invalid() | NotFound() | NotSignedIn():
                sentence = "There is no request with that code. Check each group of letters and numbers"
            case _:
                sentence = problem_of(refusal).detail
        return self._shown("begin.html", problem_of(refusal).status if refusal else 200, error=sentence)

    def form(
        self,
        form: Form,
        secret: str = "",
        typed: Mapping[str, str] | None = None,
        faults: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        """Show the one secret that is asked now, or the end. What was secret in `typed` is never written back."""
        waiting = [item for item in form.items if not item.given]
        if form.state == "done" or not waiting:
            return self.thanks(form, "")
        item = next((one for one in waiting if one.secret == secret), waiting[0])
        return self._shown(
            "form.html",
            status,
            form=form,
            item=item,
            kind=KINDS[item.kind],
            kinds=KINDS,
            number=form.items.index(item) + 1,
            typed={} if typed is None else _open_values(KINDS[item.kind], typed),
            again=[field for field in KINDS[item.kind].fields if field.secret] if typed else [],
            faults=faults or {},
            statement_key=fallback.carried_key(self._place),
        )

    def thanks(self, form: Form, reference: str) -> Response:
        """Say what was given and when, and what is still open."""
        return self._shown(
            "thanks.html",
            form=form,
            kinds=KINDS,
            reference=reference,
            waiting=[item for item in form.items if not item.given],
            missing=[item for item in form.items if item.required and not item.given],
        )

    def judged(
        self, form: Form, fields: Mapping[str, str]
    ) -> tuple[FormItem, dict[str, str], dict[str, str]]:
        """Find the item that a plain form gives, what was typed, and what is wrong with that.

        Raises NotFound when it was not asked for, Invalid for what the page's own form does not send.
        """
        item = next((one for one in form.items if one.secret == fields.get("secret")), None)
        if item is None:
            raise NotFound("that was not asked for")
        kind = KINDS[item.kind]
        own = {"secret", *(_PREFIX + field.name for field in kind.fields)}
        if not own.issuperset(fields):
            raise Invalid("this form was not sent as its page sends it")
        typed = {field.name: fields.get(_PREFIX + field.name, "") for field in kind.fields}
        for field in kind.fields:
            if field.multiline:  # browsers send each line break of a text area as CR LF, whatever was pasted
                typed[field.name] = typed[field.name].replace("\r\n", "\n")
        return item, typed, fallback.faults_of(kind, typed)

    def sealed(self, form: Form, item: FormItem, typed: Mapping[str, str]) -> str:
        """Seal what was typed; fields that were left empty are not part of a secret."""
        return fallback.sealed(self._place, form, item, {name: text for name, text in typed.items() if text})

    async def on_refusal(self, request: Request, error: Exception) -> Response:
        """Say every refusal as the asker reads it: a letter for a browser, else problem+json."""
        refusal = error if isinstance(error, VaultError) else VaultError()
        problem = problem_of(refusal)
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(
                problem.members(),
                problem.status,
                dict(problem.headers),
                media_type="application/problem+json",
            )
        if isinstance(refusal, NotSignedIn | NotFound) and request.method == "GET":
            return self.begin()  # this browser holds no form (any more): the code is the way to one
        return self._shown(
            "refused.html", STATUS[type(refusal)], problem=problem, over=isinstance(refusal, Ended)
        )


def _open_values(kind: type[Kind], typed: Mapping[str, str]) -> dict[str, str]:
    return {field.name: typed.get(field.name, "") for field in kind.fields if not field.secret}
