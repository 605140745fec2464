"""The ledger: read it over HTTP, take it along, and verify it offline, with no server and no account."""

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli.exits import NOT_VERIFIED
from cli.http import signed_in
from cli.moments import away
from cli.terminal import AsJson, put, put_json, put_table, say, say_error, say_next
from vault.errors import Invalid
from vault.ledger import verify as source
from vault.ledger.verify import NotVerified, verify_bundle

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_PAGE = 50


@app.command("list")
def show_all(
    kind: Annotated[str, typer.Option("--type", help="Only entries of this type, like lease.reveal.")] = "",
    service: Annotated[str, typer.Option(help="Only entries of this service.")] = "",
    actor: Annotated[str, typer.Option(help="Only what this person did, by id.")] = "",
    before: Annotated[str, typer.Option(help="Only entries older than this cursor.")] = "",
    most: Annotated[int, typer.Option("--most", min=1, help="How many entries at most.")] = _PAGE,
    as_json: AsJson = False,
) -> None:
    """List entries of the ledger, newest first."""
    entries = []
    cursor = before or None
    with signed_in() as client:
        while True:
            page = client.get(
                "/api/v1/ledger/entries",
                before=cursor,
                type=kind or None,
                service=service or None,
                actor=actor or None,
            )
            entries += page["entries"]
            cursor = page["next"]
            if cursor is None or len(entries) >= most:
                break
    rest = len(entries) > most or cursor is not None
    del entries[most:]
    if as_json:
        put_json(entries)
    else:
        put_table(
            ("entry", "at (utc)", "type", "outcome", "who", "by", "facts"),
            (
                (
                    entry["seq"],
                    f"{str(entry['at'])[:19].replace('T', ' ')}, {away(entry['at'])}",
                    entry["type"],
                    entry["outcome"],
                    entry["actor_name"] or entry["actor"],
                    entry["channel"],
                    "; ".join(f"{name}: {value}" for name, value in entry["facts"].items()),
                )
                for entry in entries
            ),
            "there are no such entries",
        )
    if rest and entries:
        say(f"there are older ones: --before {entries[-1]['seq']}")
    say_next("valetkey audit export FILE")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="A new file for the bundle; left out or -: stdout.")] = Path(
        "-"
    ),
) -> None:
    """Take the whole ledger along, to verify offline."""
    with signed_in() as client:
        if str(file) == "-":
            for chunk in client.stream("/api/v1/ledger/bundle"):
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        else:
            _write_new(file, client.stream("/api/v1/ledger/bundle"))
            say(f"the bundle is in {file}; it names people and customers, so keep it like the log itself")
    say("verify it with the log's key, which you got before and from somewhere else")
    say_next(f"valetkey audit verify {'BUNDLE' if str(file) == '-' else file} --key KEY")


def _write_new(file: Path, chunks: Iterator[bytes]) -> None:
    """Write a new file, its owner's alone; half a bundle is not left behind."""
    chunk = next(chunks, b"")  # asked for before the file is made, so that a refusal leaves none
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(chunk)
            out.writelines(chunks)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


@app.command()
def checkpoint(as_json: AsJson = False) -> None:
    """Print the newest signed checkpoint.

    Keep it elsewhere, and no entry that it covers can change unseen.
    """
    with signed_in() as client:
        found = client.get("/api/v1/ledger/checkpoint")
    if as_json:
        put_json(found)
    else:
        sys.stdout.write(str(found["note"]))  # a note is signed to the byte
        sys.stdout.flush()
    say(f"this covers {found['size']} entries; the log's key is {found['key']}")
    say_next("valetkey audit verify BUNDLE --key KEY --since CHECKPOINT")


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="A bundle from valetkey audit export.")],
    key: Annotated[
        str, typer.Option(help="The log's public key, or a file with it; got elsewhere than the bundle.")
    ] = "",
    since: Annotated[
        Path | None, typer.Option(help="A file with a checkpoint that you hold from before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a bundle offline. Exit status 0: verified, 1: not, and the first bad entry is named."""
    if not bundle.is_file():
        raise FileNotFoundError(errno.ENOENT, "there is no such file", str(bundle))
    held = _text_of(since, "the checkpoint you hold") if since else ""
    if since and not held:
        raise Invalid("the checkpoint you hold is empty")
    try:
        verdict = verify_bundle(bundle, _key(key), held)
    except NotVerified as refusal:
        if as_json:
            put_json({"verified": False, "why": str(refusal), "first": refusal.first, "last": refusal.last})
        say_error(f"not verified: {refusal}", "")
        raise typer.Exit(NOT_VERIFIED) from None
    if as_json:
        put_json(
            {
                "verified": bool(verdict.trust),
                "by": verdict.trust or "itself only",
                "origin": verdict.origin,
                "size": verdict.size,
                "root": verdict.root.hex(),
                "disclosures": verdict.disclosures,
            }
        )
    else:
        put(verdict.sentence())
    if not verdict.trust:
        say_next(f"valetkey audit verify {bundle} --key KEY")


def _key(given: str) -> str:
    """Give the key, or what is in the file of that name: a key holds a `+`, which says which it is.

    Raises FileNotFoundError for what is neither.
    """
    if given and "+" not in given:
        if not Path(given).exists():
            raise FileNotFoundError(errno.ENOENT, "neither a key nor a file with one", given)
        return _text_of(Path(given), "the key").strip()
    return given.strip()


def _text_of(path: Path, what: str) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise Invalid(f"{what} is not UTF-8 text") from None


@app.command()
def verifier() -> None:
    """Print the verifier, to read and to keep.

    It is one Python file on the standard library alone.
    """
    sys.stdout.write(Path(source.__file__).read_text("utf-8"))
    sys.stdout.flush()
    say_next("python verify.py BUNDLE --key KEY")
