"""Whether it is the customer's server: by the key that they gave, or that somebody of the staff met before.

1. A line that the customer gave, or that was met before, is what the server has to show; ssh holds it to that.
2. Of a fingerprint the server is asked for its keys, and the one that fits is what it has to show.
3. Where nothing is known, the person is shown the fingerprint and says whether it is right; it is kept for everybody.
"""

import subprocess
from typing import Any

from cli import terminal
from cli.http import Client
from cli.moments import away
from cli.sshlogins import Login
from cli.terminal import say
from vault.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from vault.model.hostkeys import TYPES, ServerKey

_SECONDS = 10
_PRINT = "SHA256:"


def trusted(client: Client, lease: dict[str, Any], login: Login, accepted: str) -> ServerKey:
    """The key that the login's server has to show. `accepted` is a fingerprint that the person brings along.

    Raises Denied where the server shows another one, and where nobody can say whether a first one is right;
    Unavailable where it does not answer.
    """
    given = login.given_key
    if given and not given.startswith(_PRINT):
        return _same(_parsed(given), accepted)
    kept = _kept(client, lease, login)
    if kept is not None:
        met = ServerKey.parse(kept["line"])
        if given and met.fingerprint != _bare(given):
            raise _other(f"the customer gave {_bare(given)}", [met])
        say(f"host key {met.fingerprint}, as {kept['met_by']} met it {away(kept['met_at'])}")
        return _same(met, accepted)
    seen = scanned(login)
    wanted = _bare(given) or _bare(accepted)
    met = (
        _fitting(seen, wanted, "the customer gave" if given else "you gave")
        if wanted
        else _confirmed(login, seen)
    )
    return _same(_noted(client, lease, login, met), accepted)


def scanned(login: Login) -> list[ServerKey]:
    """The keys that a server shows, the best first. Raises Unavailable where it shows none."""
    wanted = "ed25519,ecdsa,rsa"
    command = ["ssh-keyscan", "-T", str(_SECONDS), "-p", str(login.port), "-t", wanted, "-f", "-"]
    try:
        ran = subprocess.run(
            command,
            input=f"{login.host}\n".encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what a server writes in front of its keys steers no terminal
            timeout=3 * _SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise Unavailable("this computer has no ssh-keyscan; install OpenSSH's client") from None
    except subprocess.TimeoutExpired:
        raise Unavailable("the server takes too long to show its key") from None
    found = {}
    for line in ran.stdout.decode(errors="replace").splitlines():
        try:
            key = ServerKey.parse(line.partition(" ")[2])
        except Invalid:
            continue
        found[key.type] = key
    if not found:
        raise Unavailable(f"no SSH server answers at {login.host}, port {login.port}")
    return [found[one] for one in TYPES if one in found]


def explain(client: Client, lease: dict[str, Any], login: Login, key: ServerKey) -> None:
    """See, after a connection that failed, whether the server shows another key. Raises Denied if it does.

    That is put on record: the vault keeps no second key, and remembers that one was shown.
    """
    try:
        seen = scanned(login)
    except Unavailable:
        return
    if key in seen:
        return
    _put_on_record(client, lease, login, seen)
    raise _other(f"known is {key.fingerprint}", seen)


def _kept(client: Client, lease: dict[str, Any], login: Login) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.post(
            "/api/v1/leases", lease["id"], "host-key", "show", secret=login.secret
        )
    except NotFound:
        return None
    return found


def _confirmed(login: Login, seen: list[ServerKey]) -> ServerKey:
    """The key of a server that nobody has met, once the person says that it is right."""
    best = seen[0]
    say(f"nobody has come to {login.host} before, and the customer gave no host key")
    for key in seen:
        say(f"it shows {key.type} {key.fingerprint}")
    if not terminal.is_watched():
        raise Denied("somebody has to say whether that is its key, and nobody is at the terminal").hinting(
            f"if it is, go on with --host-key {best.fingerprint}"
        )
    say("ask the customer or look at the server's console: an impostor would show another one")
    if not terminal.ask_yes(f"is {best.fingerprint} the key of that server?"):
        raise Denied("then nothing was sent there")
    return best


def _noted(client: Client, lease: dict[str, Any], login: Login, met: ServerKey) -> ServerKey:
    """Keep it for everybody who comes after; whoever was quicker is believed, if it is the same. Raises Denied."""
    try:
        client.post("/api/v1/leases", lease["id"], "host-key", secret=login.secret, line=met.line)
    except Conflict:
        kept = _kept(client, lease, login)
        if kept is None or kept["line"] != met.line:
            known = ServerKey.parse(kept["line"]).fingerprint if kept else "another one"
            raise _other(f"known is {known}", [met]) from None
    else:
        say("that key is kept in the vault, and every other one is refused from now on")
    return met


def _put_on_record(client: Client, lease: dict[str, Any], login: Login, seen: list[ServerKey]) -> None:
    if login.given_key:
        return  # nothing is kept beside what the customer gave, and so nothing would refuse it
    try:
        client.post("/api/v1/leases", lease["id"], "host-key", secret=login.secret, line=seen[0].line)
    except (Conflict, Denied, NotFound, Unavailable):
        return


def _fitting(seen: list[ServerKey], fingerprint: str, whose: str) -> ServerKey:
    for key in seen:
        if key.fingerprint == fingerprint:
            return key
    raise _other(f"{whose} {fingerprint}", seen)


def _parsed(given: str) -> ServerKey:
    try:
        return ServerKey.parse(given)
    except Invalid:
        raise Denied("what the customer gave as the server's host key is none; nothing was sent").hinting(
            "valetkey broken LEASE has them give the login anew"
        ) from None


def _same(key: ServerKey, accepted: str) -> ServerKey:
    if accepted and _bare(accepted) != key.fingerprint:
        raise _other(f"you gave {_bare(accepted)}", [key])
    return key


def _other(known: str, seen: list[ServerKey]) -> Denied:
    shown = ", ".join(key.fingerprint for key in seen)
    return Denied(
        f"the server shows another host key: {known}, and it shows {shown}; nothing was sent"
    ).hinting(
        "it may have been set up anew, or it is an impostor: ask the customer, and if it is theirs, "
        "valetkey broken LEASE has them give the login anew"
    )


def _bare(fingerprint: str) -> str:
    return fingerprint.strip().rstrip("=")
