"""What customers see: the letter that asks, the questions, the answers to check, and every refusal in their words."""

import shlex
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.errors import STATUS, problem_of
from api.intake import fallback
from api.intake.answers import Answer, kind_chosen
from api.intake.steps import missing, owes_terms, step, waiting
from api.pages.templates import for_customers, shown
from vault.errors import Ended, Invalid, NotFound, NotSignedIn, PinNeeded, VaultError
from vault.languages import Translation, marked, translation
from vault.model.messages import Form, FormItem
from vault.settings import Settings

_FOLDER = Path(__file__).parent / "templates"


@cache
def _templates(language: str) -> Environment:
    return for_customers(language, _FOLDER)


def reads_html(request: Request) -> bool:
    """Whether a form of a page asks, and not a program."""
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def command(line: str) -> str:
    """Say the line that adds a key as a command for any POSIX shell. It begins a line of its own in every file."""
    added = f"printf '\\n%s\\n' {shlex.quote(line)} >> ~/.ssh/authorized_keys"
    return f"(umask 077; mkdir -p ~/.ssh; {added})"


class Pages:
    """The pages of one deployment's intake, each in the language of whoever reads it."""

    def __init__(self, settings: Settings) -> None:
        self._place = settings.statement_key_place
        self._business = settings.business

    def _shown(self, language: str, name: str, status: int = 200, **context: Any) -> Response:
        return shown(_templates(language), name, status, business=self._business, **context)

    def begin(
        self, spoken: Translation, refusal: VaultError | None = None, code: str = "", chosen: str = ""
    ) -> Response:
        """Ask for the intake code, and say what was wrong with the one before.

        `chosen` is the language that was chosen on this page, and `code` what was typed before that: the page carries
        both on, and no address does.
        """
        sentence = ""
        match refusal:
            case None:
                pass
            case Ended():
                sentence = marked("This code has been used or its time is over. Ask us for a new one")
            case Invalid() | NotFound() | NotSignedIn():
                sentence = marked(
                    "There is no request with that code. Check each group of letters and numbers"
                )
            case _:
                sentence = problem_of(refusal, spoken).detail
        status = problem_of(refusal).status if refusal else 200
        error = spoken.said(sentence)
        return self._shown(spoken.language, "begin.html", status, error=error, code=code, chosen=chosen)

    def pin(
        self, spoken: Translation, refusal: PinNeeded | None = None, code: str = "", chosen: str = ""
    ) -> Response:
        """Ask for what was told by telephone, and say what was wrong with the PIN before.

        The page carries the code on; no address and no cookie does.
        """
        problem = problem_of(refusal, spoken) if refusal else None
        error = problem.detail.rstrip(".") if problem else ""
        status = problem.status if problem else 200
        return self._shown(spoken.language, "pin.html", status, code=code, error=error, chosen=chosen)

    def now(self, form: Form, wished: str = "", kind: str = "", given: str = "") -> Response:
        """Show what comes now, with a word about what has just been received."""
        received = next((item for item in form.items if item.given and item.secret == given), None)
        place = step(form, wished)
        match place:
            case "letter":
                return self.letter(form)
            case "check":
                return self.check(form, received)
            case "thanks":
                return self.thanks(form)
            case _:
                return self.secret(form, Answer(place, kind_chosen(place, kind)), received=received)

    def letter(self, form: Form, error: str = "") -> Response:
        """Say who asks for what and why, who will see it, until when, and under which terms."""
        first = next(iter(waiting(form)), None)
        return self._shown(
            form.language,
            "asked.html",
            422 if error else 200,
            form=form,
            first=first,
            owes=owes_terms(form),
            error=translation(form.language).said(error),
        )

    def secret(
        self, form: Form, answer: Answer, received: FormItem | None = None, status: int = 200
    ) -> Response:
        """Ask for one secret, and say what was wrong with the answer before. Nothing secret is written back."""
        item, answer = answer.item, answer.said(translation(form.language))
        return self._shown(
            form.language,
            "secret.html",
            status,
            form=form,
            item=item,
            kind=answer.kind,
            is_added=bool(answer.kind.made and item.line),
            command=command(item.line),
            number=form.items.index(item) + 1,
            typed=answer.shown if answer.typed else {},
            again=[one for one in answer.kind.fields if one.secret and answer.typed.get(one.name)],
            faults=answer.faults,
            doubt=answer.doubt,
            received=received,
            statement_key=fallback.carried_key(self._place),
        )

    def check(self, form: Form, received: FormItem | None = None) -> Response:
        """List what was given and when, never the values; from here the customer finishes, or gives anew."""
        return self._shown(form.language, "check.html", form=form, received=received, missing=missing(form))

    def thanks(self, form: Form) -> Response:
        """Say what was received, under which references, and what happens now."""
        return self._shown(form.language, "thanks.html", form=form)

    def sealed(self, form: Form, answer: Answer) -> str:
        """Seal what was typed."""
        return fallback.sealed(self._place, form, answer.item, answer.kind, answer.filled)

    def refused(self, spoken: Translation, request: Request, refusal: VaultError) -> Response:
        """Say a refusal as the asker reads it: a letter for a browser, else problem+json."""
        problem = problem_of(refusal, spoken)
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(
                problem.members(),
                problem.status,
                dict(problem.headers),
                media_type="application/problem+json",
            )
        if isinstance(refusal, NotSignedIn | NotFound) and request.method == "GET":
            return self.begin(spoken)  # this browser holds no form (any more): the code is the way to one
        return self._shown(
            spoken.language,
            "refused.html",
            STATUS[type(refusal)],
            problem=problem,
            over=isinstance(refusal, Ended),
        )
