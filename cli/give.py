"""The customer's command: it seals in this very process, and what was typed never leaves it unsealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from cli import fields, terminal
from cli.begun import accept_terms, begin, finish
from cli.http import Client
from cli.moments import until
from cli.terminal import AsJson, put, put_json, say, say_error
from vault.crypto.encoding import b64, unb64
from vault.crypto.envelope import Context
from vault.crypto.sealing import seal
from vault.crypto.statement import check_statement
from vault.crypto.suites import XWING
from vault.errors import Invalid, Tampered, TooMany, Unavailable
from vault.model.kinds import Kind, kind_named, pack_fields


def submit(
    statement_key: Annotated[
        str,
        typer.Option(
            help="The business's public key-statement key, or a file with it; ask them for it.", metavar="KEY"
        ),
    ],
    url: Annotated[
        str, typer.Option(help="Where the vault is; not needed if you paste the whole link.")
    ] = "",
    kind: Annotated[list[str] | None, typer.Option(help="Give only this kind; repeatable.")] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATH", help="Take a field from a file, like private_key=~/.ssh/id; repeatable."
        ),
    ] = None,
    add_key: Annotated[
        bool,
        typer.Option(help="Where it is offered, add a key of theirs on your server and give no password."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Hand over what you were asked for. It is sealed on this computer before it is sent.

    The link or code is prompted for, or read from stdin, as are a PIN, your yes to the terms, and the fields, a line
    each.
    """
    public = _statement_key(statement_key)
    files = _files(file or [])
    place, code = _place_and_code(terminal.ask("link or intake code", hidden=True), url)
    with Client(place, {"Valetkey-Client": "cli"}) as client:
        form = begin(client, code)
        say("if you stop half way, the same link goes on here where you stopped")
        keys = _checked(public, form)
        say(f"{form['business']} asks for access for {form['service_title']}; asked by {form['asked_by']}")
        say(form["who_may_see"])
        say(f"it is destroyed when the service ends, at the latest {until(form['service_ends_at'])}")
        wanted = [item for item in form["items"] if not kind or item["kind"] in kind]
        if not wanted:
            raise Invalid("nothing of that kind was asked for")
        accept_terms(client, form)
        receipts = [
            _handed_over(client, keys, item, files, add_key=add_key)
            for item in wanted
            if _is_wanted(item, named=bool(kind))
        ]
        if not kind and _is_complete(form, receipts):
            finish(client, code)
    if as_json:
        put_json(receipts)
    else:
        for receipt in receipts:
            put(f"sealed: {receipt['kind']} for {keys.service}, reference {receipt['reference']}")
    say("within minutes your business knows whether it opens; nobody reads it before it is lent for a ticket")


@dataclass(frozen=True)
class Keys:
    """A service's public key, after the statement of it was checked."""

    deployment: str
    service: str
    key: str
    public: bytes

    @classmethod
    def checked(cls, statement_key: bytes, form: Mapping[str, Any]) -> "Keys":
        """Check the form's keys. Raises Tampered if they are unsigned or belong to another service."""
        statement = check_statement(statement_key, str(form["statement"]), str(form["statement_signature"]))
        if (statement.deployment, statement.service) != (form["deployment"], form["service"]):
            raise Tampered("the public keys belong to another service, so nothing was sealed to them")
        return cls(statement.deployment, statement.service, statement.key, statement.public_key(XWING.name))

    def seal(self, item: Mapping[str, Any], kind: type[Kind], given: Mapping[str, str]) -> str:
        """Seal the fields for just this secret, version and kind: an envelope in URL-safe base64."""
        context = Context(
            deployment=self.deployment,
            service=self.service,
            key=self.key,
            secret=str(item["secret"]),
            version=int(item["version"]),
            kind=kind.name,
        )
        return b64(seal(pack_fields(given), XWING, self.public, context))


def _checked(public: bytes, form: Mapping[str, Any]) -> Keys:
    try:
        return Keys.checked(public, form)
    except Tampered as error:
        raise error.hinting(
            "Nothing was asked or sent. Compare --statement-key with what the business publishes; if it is the same, "
            "call them on a number that you know."
        ) from None


def _statement_key(given: str) -> bytes:
    """Read the verifying key: hexadecimal as `init` prints it or URL-safe base64, itself or in a file."""
    path = Path(given).expanduser()
    try:
        text = (path.read_text("ascii") if path.exists() else given).strip()
        public = bytes.fromhex(text) if len(text) == 64 else unb64(text)  # noqa: PLR2004 (32 bytes in hex)
    except (Invalid, ValueError):
        public = b""
    if len(public) != 32:  # noqa: PLR2004 (an Ed25519 public key, RFC 8032)
        raise Invalid("that is not a key-statement key; the business that asks you publishes it")
    return public


def _place_and_code(typed: str, url: str) -> tuple[str, str]:
    """Part a pasted link into its place and its code; a bare code needs --url."""
    parts = urlsplit(typed.strip())
    if parts.scheme in {"http", "https"}:
        return url or f"{parts.scheme}://{parts.netloc}", parts.fragment
    if not url:
        raise Invalid("paste the whole link, or say where the vault is with --url")
    return url, typed.strip()


def _files(given: list[str]) -> dict[str, str]:
    """Find the named files, before the code is used: a wrong path must not cost it."""
    pairs = [pair.partition("=") for pair in given]
    if not all(name and path for name, _, path in pairs):
        raise Invalid("--file takes a field's name and a path, like private_key=~/.ssh/id_ed25519")
    for _, _, path in pairs:
        Path(path).expanduser().open("rb").close()
    return {name: path for name, _, path in pairs}


def _is_wanted(item: Mapping[str, Any], *, named: bool) -> bool:
    """Say whether to ask for it: what is needed and not given, what was named, else what the person wants."""
    if named or (item["required"] and not item["given"]):
        return True
    why = "is given already; give it anew" if item["given"] else "is not needed but helps; give it too"
    return terminal.is_watched() and terminal.ask_yes(f"{item['kind']} {why}")


def _handed_over(
    client: Client, keys: Keys, item: Mapping[str, Any], files: Mapping[str, str], *, add_key: bool
) -> dict[str, Any]:
    """Ask for one secret and send it. What was given before is asked for under a new version first."""
    if item["given"]:
        form = client.post("/give/again", secret=item["secret"])
        item = next(one for one in form["items"] if one["secret"] == item["secret"])
    kind = kind_named(str(item["kind"]))
    say()
    say(f"{kind.title}, {item['because'] or kind.because}")
    if _is_by_our_key(item, add_key=add_key):
        kind = kind_named(str(item["instead"]))
    given = fields.asked(kind, files)
    return _give(client, keys, item, kind, given, sure=fields.is_sure(kind, given))


def _is_by_our_key(item: Mapping[str, Any], *, add_key: bool) -> bool:
    """Show the line that may be added instead, and whether it is: where nobody watches, only if it was said before."""
    if not item.get("instead") or not (add_key or terminal.is_watched()):
        return False
    say("safer than a password: add this line on your server, at the end of the file .ssh/authorized_keys")
    say(str(item["line"]))
    return add_key or terminal.ask_yes("have you added it, and give no password")


def _is_complete(form: Mapping[str, Any], receipts: list[dict[str, Any]]) -> bool:
    """Whether all that is needed has been given, now or before."""
    given = {receipt["secret"] for receipt in receipts}
    return all(item["given"] or item["secret"] in given for item in form["items"] if item["required"])


def _give(
    client: Client,
    keys: Keys,
    item: Mapping[str, Any],
    kind: type[Kind],
    given: Mapping[str, str],
    *,
    sure: bool,
) -> dict[str, Any]:
    """Seal and send; where somebody watches, a failed sending is repeated and nothing typed again."""
    envelope = keys.seal(item, kind, given)
    while True:
        try:
            receipt: dict[str, Any] = client.post(
                "/give/secret",
                secret=item["secret"],
                version=item["version"],
                envelope=envelope,
                sealed_by="client",
                kind=kind.name,
                sure=sure,
            )
        except (Unavailable, TooMany) as error:
            if not terminal.is_watched():
                raise
            say_error(str(error), error.hint)
            if not terminal.ask_yes("what you typed is kept; try again", default=True):
                raise
        else:
            say("taken")
            return receipt | {"kind": kind.name}
