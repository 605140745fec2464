"""The terms for customers: posted on the vault's host, in force thirty days later."""

from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from cli import terminal
from cli.host import tell_server
from cli.moments import until
from cli.terminal import AsJson, put, put_details, put_json, say, say_next
from vault.errors import Invalid
from vault.model.terms import MARKS, AllTermsView, Paragraph, TermsView, paragraphs, parse

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_SIGNS = {"same": "{}", "added": "{{+{}+}}", "removed": "[-{}-]"}
"""As wdiff writes them, which no colour has to explain."""
_BULLETS = {"added": "+", "removed": "-", "changed": "~"}


@app.callback()
def _terms() -> None:
    """Post the terms that customers accept at a hand-over, and read them.

    A version takes effect thirty days after it was posted, never earlier, the first one too.
    """


@app.command()
def publish(
    file: Annotated[
        Path, typer.Argument(help="The terms, a text file: empty lines part paragraphs, # begins a heading.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change and from when, and post nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: you have read what changes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Post a new version of the terms. Shows what it changes and asks before.

    What was posted cannot be taken back, only followed by another version.
    """
    try:
        text = parse(file.read_bytes().decode())
    except UnicodeDecodeError:
        raise Invalid("the terms are not UTF-8 text") from None
    view = TermsView.model_validate(tell_server("terms publish", text=text))
    if not as_json:
        _put_changes(view)
    day = f"{view.effective_at:%d %B %Y}".removeprefix("0")
    say(f"posted now, version {view.version} takes effect on {day}, thirty days from now and never earlier")
    if dry_run:
        say("nothing was posted")
    elif yes or terminal.ask_yes("post it? it cannot be taken back"):
        posted = tell_server("terms publish", text=text, after=view.version - 1)
        view = TermsView.model_validate(posted)
        say(f"version {view.version} is posted; whoever reads /terms sees it from now on")
    else:
        raise Invalid("nothing was posted")
    if as_json:
        put_json(view.model_dump(mode="json"))
    elif not dry_run:
        _put_facts(view)
    say_next(f"valetkey terms publish {file}" if dry_run else "valetkey terms show")


@app.command()
def show(as_json: AsJson = False) -> None:
    """Print the terms in force, and what announced versions change."""
    found = tell_server("terms show")
    if as_json:
        put_json(found)
        return
    posted = AllTermsView.model_validate(found)
    if not posted.in_force:
        say("no terms are in force" if posted.announced else "no terms were posted yet")
    for view in filter(None, (posted.in_force, *posted.announced)):
        _put_facts(view)
        put("")
        _put_changes(view.model_copy(update={"changes": ()}) if view is posted.in_force else view)
        put("")
    say_next("valetkey terms publish FILE")


def _put_facts(view: TermsView) -> None:
    put_details(
        {
            "version": view.version,
            "posted": until(view.posted_at),
            "in force since" if view.state == "in force" else "takes effect": until(view.effective_at),
            "sha-256": view.digest,
        }
    )


def _put_changes(view: TermsView) -> None:
    """Print what a version changes, by words; all of it where there is none before it to compare with."""
    if not view.changes:
        for number, paragraph in enumerate(paragraphs(view.text)):
            if number:
                put("")
            put(_written(paragraph))
        return
    for how, run in groupby(view.changes, lambda paragraph: paragraph.how):
        found = list(run)
        if how == "same":
            put(f"  ({len(found)} paragraph{'' if len(found) == 1 else 's'} unchanged)")
            continue
        for paragraph in found:
            put(f"{_BULLETS[how]} {_written(paragraph)}")


def _written(paragraph: Paragraph) -> str:
    """A paragraph with its mark; what came and what went in it stands in brackets if other words stay."""
    signs = _SIGNS if paragraph.how == "changed" else dict.fromkeys(_SIGNS, "{}")
    return MARKS[paragraph.tag] + " ".join(signs[how].format(text) for how, text in paragraph.words)
