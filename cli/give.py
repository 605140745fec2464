"""The customer's command: it seals in this very process, and what was typed never leaves it unsealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from cli import terminal
from cli.begun import begin, finish
from cli.exits import sentence
from cli.http import Client
from cli.terminal import AsJson, put, put_json, say, say_error, when
from vault.crypto.encoding import b64, unb64
from vault.crypto.envelope import Context
from vault.crypto.sealing import seal
from vault.crypto.statement import check_statement
from vault.crypto.suites import XWING
from vault.errors import Invalid, Tampered, TooMany, Unavailable
from vault.model.cards import holds_card_number
from vault.model.kinds import Field, kind_named, pack_fields


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
    as_json: AsJson = False,
) -> None:
    """Hand over what you were asked for. It is sealed on this computer before it is sent.

    The link or code is prompted for, or read from stdin, as are the fields, a line each.
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
        say(f"it is destroyed when the service ends, {when(form['service_ends_at'])} at the latest")
        wanted = [item for item in form["items"] if not kind or item["kind"] in kind]
        if not wanted:
            raise Invalid("nothing of that kind was asked for")
        receipts = [
            _give(client, keys, item, _asked(item, files))
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

    def seal(self, item: Mapping[str, Any], fields: Mapping[str, str]) -> str:
        """Seal the fields for just this secret and version: an envelope in URL-safe base64."""
        context = Context(
            deployment=self.deployment,
            service=self.service,
            key=self.key,
            secret=str(item["secret"]),
            version=int(item["version"]),
            kind=str(item["kind"]),
        )
        return b64(seal(pack_fields(fields), XWING, self.public, context))


def _checked(public: bytes, form: Mapping[str, Any]) -> Keys:
    try:
        return Keys.checked(public, form)
    except Tampered as error:
        vars(error)["hint"] = (
            "Nothing was asked or sent. Compare --statement-key with what the business publishes; if it is the same, "
            "call them on a number that you know."
        )
        raise


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
    """Read the named files, before the code is used: a wrong path must not cost it."""
    pairs = [pair.partition("=") for pair in given]
    if not all(name and path for name, _, path in pairs):
        raise Invalid("--file takes a field's name and a path, like private_key=~/.ssh/id_ed25519")
    return {name: _read(path) for name, _, path in pairs}


def _is_wanted(item: Mapping[str, Any], *, named: bool) -> bool:
    """Say whether to ask for it: what is needed and not given, what was named, else what the person wants."""
    if named or (item["required"] and not item["given"]):
        return True
    why = "is given already; give it anew" if item["given"] else "is not needed but helps; give it too"
    return terminal.is_watched() and terminal.ask_yes(f"{item['kind']} {why}")


def _asked(item: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, str]:
    """Ask for the fields of one secret until they are right. Raises Invalid if nobody can be."""
    kind = kind_named(str(item["kind"]))
    say()
    say(f"{kind.title}, {item['because'] or kind.because}")
    fields: dict[str, str] = {}
    for field in kind.fields:
        while True:
            typed = files[field.name] if field.name in files else _typed(field)
            try:
                value = _read(typed) if field.multiline and typed and field.name not in files else typed
                field.check(value)
            except (Invalid, OSError) as error:
                if not terminal.is_watched() or field.name in files:
                    raise
                say_error(sentence(error)[0], field.hint)
                continue
            break
        if value:
            fields[field.name] = value
    kind.check(fields)
    if holds_card_number(fields):
        raise Invalid("that holds a card number or a card code, which are never stored; nothing was sent")
    return fields


def _is_complete(form: Mapping[str, Any], receipts: list[dict[str, Any]]) -> bool:
    """Whether all that is needed has been given, now or before."""
    given = {receipt["secret"] for receipt in receipts}
    return all(item["given"] or item["secret"] in given for item in form["items"] if item["required"])


def _typed(field: Field) -> str:
    """Ask for one field, byte for byte, or for the path of several lines: a terminal would end them early."""
    if field.multiline:
        return terminal.ask(f"{field.title} (path of its file)")
    title = field.title if field.required else f"{field.title} (may be empty)"
    return terminal.ask(title, default=field.default, hidden=field.secret)


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_bytes().decode()
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8 text") from None


def _give(client: Client, keys: Keys, item: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Seal and send; where somebody watches, a failed sending is repeated and nothing typed again."""
    envelope = keys.seal(item, fields)
    while True:
        try:
            receipt: dict[str, Any] = client.post(
                "/give/secret",
                secret=item["secret"],
                version=item["version"],
                envelope=envelope,
                sealed_by="client",
            )
        except (Unavailable, TooMany) as error:
            if not terminal.is_watched():
                raise
            say_error(str(error), error.hint)
            if not terminal.ask_yes("what you typed is kept; try again", default=True):
                raise
        else:
            say("taken")
            return receipt | {"kind": item["kind"]}
