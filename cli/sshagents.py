"""An agent for one key and one connection: nobody else's, with an end, and for the one server alone.

It is a process of its own, started and ended here. The key goes to it over a pipe, counts until the lease ends, and
signs only for the server that shows the right key (OpenSSH 8.9 and later: `ssh-add -h`).
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from cli.sshasking import Answers, Door
from vault.errors import Invalid, Unavailable
from vault.model.puttykeys import START, PuttyFile
from vault.model.sshkeys import ENDS, pem_of
from vault.values import Plaintext

_SECONDS = 30


@contextmanager
def agent(place: Path, seconds: int, environment: Mapping[str, str]) -> Iterator[Path]:
    """Run an agent that forgets everything after so many seconds; gives its socket, in a folder of one's own.

    It ends with this, and within seconds also when this process is killed: it then sees the one beside it end, which
    waits for a pipe that nobody holds any more. Raises Unavailable.
    """
    path = place / "agent"
    beside = ["sh", "-c", "echo $SSH_AGENT_PID; exec cat >/dev/null"]
    try:
        waiting = subprocess.Popen(
            ["ssh-agent", "-a", str(path), "-t", str(seconds), *beside],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,  # what is typed at the terminal is not for them
        )
    except FileNotFoundError:
        raise Unavailable("this computer has no ssh-agent; install OpenSSH's client") from None
    with waiting:
        told = waiting.stdout.readline().strip() if waiting.stdout else b""
        try:
            if not told.isdigit() or not path.is_socket():
                raise Unavailable("ssh-agent did not start")
            yield path
        finally:
            if told.isdigit():
                with suppress(ProcessLookupError):
                    os.kill(int(told), signal.SIGTERM)
            waiting.kill()
            path.unlink(missing_ok=True)


def load(
    place: Path,
    socket: Path,
    key: Plaintext,
    passphrase: str,
    seconds: int,
    known_hosts: Path,
    host: str,
    environment: Mapping[str, str],
) -> None:
    """Give the agent a private key, which it uses for that host alone. Raises Invalid where it does not take it."""
    answers = Answers("", "", Plaintext(passphrase), ask=lambda _: None)
    with closing(Door(place, answers)) as opened:
        command = ["ssh-add", "-q", "-t", str(seconds), "-h", host, "-H", str(known_hosts), "-"]
        adding = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**environment, **opened.environment(), "SSH_AUTH_SOCK": str(socket)},
            start_new_session=True,
        )
        opened.started(adding.pid)
        try:
            _, said = adding.communicate(spelt(key.expose(), passphrase), _SECONDS)
        except subprocess.TimeoutExpired:
            adding.kill()
            raise Unavailable("ssh-add did not come to an end") from None
    if adding.returncode:
        error = Invalid("OpenSSH does not take the private key of this login")
        if re.search(rb"unknown option|illegal option|invalid option", said):
            error = Invalid("this computer's OpenSSH is too old; version 8.9 or newer is needed")
        raise error


def spelt(key: str, passphrase: str) -> bytes:
    """A private key as OpenSSH's programs expect it: the block by itself, of PuTTY's without its passphrase.

    Raises Invalid for none.
    """
    text = key.strip(ENDS)
    if text.startswith(START):
        text = PuttyFile.parse(text).in_openssh(passphrase)
    pem = pem_of(text)
    start = text.index(f"-----BEGIN {pem.label}-----")
    end = f"-----END {pem.label}-----"
    block = text[start : text.index(end, start) + len(end)]
    return "\n".join([*(line.strip() for line in block.splitlines()), ""]).encode()
