"""A whole login out of one pasted line: what people copy from their host's page or from their own notes.

1. A command: ssh or sftp with its options, of which the port, the user and the host count.
2. An address: ssh://, sftp://, ftp:// or ftps://, with or without a user. A password in it is left out: it would
   become visible.
3. user@host, with or without a port.

What is only a host already, and what is none of these, is no login. `api/static/logins.js` is the same rule for the
browser, and a test holds the two together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from vault.errors import Invalid
from vault.model.fields import HOST, PORT, USERNAME

LONGEST = 1000
"""Characters of a line that is looked at."""

_ADDRESS = re.compile(
    r"(?:ssh|sftp|ftps?|ftpes)://(?:([^@/]*)@)?([^/?#]*)(?:[/?#].*)?", re.ASCII | re.IGNORECASE | re.DOTALL
)
_IPV6 = r"[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*"
_AT = re.compile(rf"(?:([^@/:]+)@)?({_IPV6}|\[{_IPV6}\]|[^@:]+)(?::([0-9]{{0,5}}|[^0-9@][^@]*))?", re.ASCII)
_COMMANDS = {"ssh": ("BbcDEeFIiJLlmOoPpQRSWw", "p", "l"), "sftp": ("BbcDFiJloPRSsX", "P", "User")}
"""Of ssh(1) and sftp(1): the options that take a value, and which of them are the port and the user."""


@dataclass(frozen=True)
class Login:
    """What a line says; empty where it says nothing."""

    host: str
    port: str
    username: str


def read_login(text: str) -> Login | None:
    """Find the login in a pasted line; None where there is none in it, and for a bare host."""
    if len(text) > LONGEST:
        return None
    words = [word.strip("\"'") for word in re.split(r"[ \t\r\n\xa0]+", text) if word]
    if words and words[0] in ("$", "#", ">", "%"):
        del words[0]
    if not words:
        return None
    name = words[0].rsplit("/", 1)[-1].lower().removesuffix(".exe")
    if "://" not in words[0] and name in _COMMANDS:
        return _command(words[1:], name)
    if _ADDRESS.fullmatch(words[0]):
        return _address(words[0]) if len(words) == 1 else None
    if "@" in words[0] and "://" not in words[0]:
        return _command(words, "ssh")
    return None


def _command(words: list[str], command: str) -> Login | None:
    """Read options wherever they stand; the first other word is the host, and what follows is done there."""
    valued, port_letter, user_letter = _COMMANDS[command]
    port = username = target = ""
    for option, given in _options(words, valued):
        letter, value = option, given
        if letter == "o":
            name, _, value = given.partition("=")
            letter = {"port": port_letter, "user": user_letter}.get(name.lower(), "o")
        if letter == port_letter:
            port = value
        elif letter == user_letter:
            username = value
        elif letter == "" and target:
            break
        elif letter == "":
            target = value
    if _ADDRESS.fullmatch(target):
        found = _address(target)
        return found and _login(found.host, found.port or port, found.username or username)
    parts = _AT.fullmatch(target)
    if parts is None:
        return None
    after = parts.group(3) or ""
    own_port = after if re.fullmatch(r"[0-9]+", after, re.ASCII) else ""
    return _login(parts.group(2), port or own_port, parts.group(1) or username)


def _options(words: list[str], valued: str) -> Iterator[tuple[str, str]]:
    """Give each option that takes a value with its value, and every other word without a letter."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or len(word) == 1:
            yield "", word
            continue
        for place, letter in enumerate(word[1:], start=2):
            if letter in valued:
                yield letter, word[place:] or next(rest, "")
                break


def _address(text: str) -> Login | None:
    parts = _ADDRESS.fullmatch(text)
    if parts is None:
        return None
    user = unquote((parts.group(1) or "").split(":")[0].split(";")[0], errors="replace")
    place = re.fullmatch(rf"(\[{_IPV6}\]|[^:\[\]]*)(?::([0-9]{{0,5}}))?", parts.group(2), re.ASCII)
    return place and _login(place.group(1), place.group(2) or "", user)


def _login(host: str, port: str, username: str) -> Login | None:
    """Only what the form would take itself."""
    found = Login(host.strip("[]"), port, username)
    try:
        HOST.check(found.host)
        for field, value in ((PORT, port), (USERNAME, username)):
            if value:
                field.check(value)
    except Invalid:
        return None
    return found
