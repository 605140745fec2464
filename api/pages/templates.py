"""The paper that every page is written on: templates, and how a person would say a time or a duration."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from vault.languages import LANGUAGES, NAMES, Translation, javascript_words, translation
from vault.model.kinds import KINDS
from vault.model.terms import paragraphs

STATIC = Path(__file__).parents[1] / "static"
"""CSS and JavaScript of every page. The intake serves it, so that it works alone: /give/static."""

_FOLDER = Path(__file__).parent / "templates"
_MINUTES_AN_HOUR = 60


def environment(*more: Path, language: str = LANGUAGES[0]) -> Environment:
    """Templates of these folders and of the pages; every value is escaped, a missing one is an error.

    What is in the letterhead and its parts is said in that one of LANGUAGES. A variable is never given to `_`, which
    takes what it gets for ours: a sentence or title that was made elsewhere is said by the filter `said`.
    """
    spoken = translation(language)
    made = Environment(
        loader=FileSystemLoader([*more, _FOLDER]),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(spoken.gettext, spoken.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(day=day, moment=moment, minutes=minutes, counted=counted, listed=listed, tick=tick)
    made.filters.update(paragraphs=paragraphs, said=spoken.said)
    made.globals.update(language=language, words=javascript_words(language))
    return made


def for_customers(language: str, *more: Path) -> Environment:
    """Templates of what customers read, in one of LANGUAGES, also their times.

    A day is never "today" here: sentences go on with it, and other languages say "on" before it.
    """
    made = environment(*more, language=language)
    spoken = translation(language)
    made.filters.update(day=partial(_day_in, spoken), moment=partial(_moment_in, spoken))
    made.globals.update(languages=[(one, NAMES[one]) for one in LANGUAGES], kinds=KINDS)
    return made


def _day_in(spoken: Translation, when: datetime) -> Markup:
    return exact_time(when, "date", spoken.day(when))


def _moment_in(spoken: Translation, when: datetime) -> Markup:
    return exact_time(when, "moment", spoken.moment(when))


def exact_time(when: datetime, style: str, words: str) -> Markup:
    """A time in these words, with the exact one behind it; times.js says a day, date or moment in the reader's zone."""
    exact = when.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}" data-style="{}">{}</time>').format(
        exact.isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"{exact:%Y-%m-%d %H:%M:%S} UTC",
        style,
        words,
    )


def day(when: datetime) -> Markup:
    """Say a date as one does, like 6 December 2026, with the exact time behind it."""
    exact = when.astimezone(UTC)
    return exact_time(when, "day", f"{exact.day} {exact:%B %Y}")


def moment(when: datetime) -> Markup:
    """Say a date and time as one does. `times.js` puts it into the reader's own time zone."""
    exact = when.astimezone(UTC)
    return exact_time(when, "moment", f"{exact.day} {exact:%B %Y} at {exact:%H:%M} UTC")


def tick(when: datetime, style: str) -> Markup:
    """Say a time in little room: `short` as 6 Dec, `clock` as 18:30."""
    exact = when.astimezone(UTC)
    return exact_time(when, style, f"{exact:%H:%M}" if style == "clock" else f"{exact.day} {exact:%b}")


def minutes(count: int) -> str:
    """Say a duration as one does: 45 minutes, 2 hours, 1 hour 30 minutes."""
    hours, rest = divmod(count, _MINUTES_AN_HOUR)
    said = [
        f"{number} {unit}{'' if number == 1 else 's'}"
        for number, unit in ((hours, "hour"), (rest, "minute"))
        if number
    ]
    return " ".join(said) or "0 minutes"


_NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


def counted(count: int, noun: str) -> str:
    """Say how many there are, as one does: no tickets, one ticket, two tickets, 13 tickets."""
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{number} {noun}{'' if count == 1 else 's'}"


def listed(words: Iterable[str]) -> str:
    """Name several things in one breath, as one does: technician and coordinator; a, b and c."""
    *before, last = list(words) or [""]
    return f"{', '.join(before)} and {last}" if before else last


def shown(
    templates: Environment,
    name: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """Make the page an answer that nothing on the way keeps."""
    page = templates.get_template(name).render(**context)
    return HTMLResponse(page, status, {"Cache-Control": "no-store", **(headers or {})})
