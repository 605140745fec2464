"""Debian's own sshd, one process for each connection, with a passwd and shadow of its own that nobody else sees."""

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.source_tree import ROOT

UNPACKED = ROOT / ".cache" / "sshd"
UID = 64_001
IN_A_NAMESPACE = """
set -eu
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
mount --bind "$PLACE/passwd" /etc/passwd
mount --bind "$PLACE/shadow" /etc/shadow
exec "$SSHD" -i -e -f "$PLACE/sshd_config"
"""


def program() -> Path | None:
    """Where sshd is: unpacked by `.ci/system sshd`, or installed."""
    for found in (UNPACKED / "usr/sbin/sshd", Path("/usr/sbin/sshd")):
        if found.exists():
            return found
    return None


@cache
def why_not() -> str:
    """Why no sshd can take passwords here; empty where one can."""
    if program() is None:
        return "there is no sshd; .ci/system sshd unpacks Debian's"
    if os.geteuid() != 0:
        return "sshd takes passwords only as root"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "this machine makes no mount namespaces"
    return ""


@cache
def newest_address() -> str:
    """The loopback of IPv6; that of IPv4 on a machine without."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return "::1"
    except OSError:
        return "127.0.0.1"


def host_key(place: Path, kind: str = "ed25519") -> Path:
    path = place / f"host_{kind}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path], check=True)
    return path


@dataclass
class Sshd:
    """A server: who logs in there, and what it has seen."""

    place: Path
    user: str
    password: str
    address: str = "127.0.0.1"
    port: int = 0
    connections: int = 0
    children: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.place / "home"

    @property
    def key_line(self) -> str:
        """Its host key, as a customer gives it."""
        return (self.place / "host_ed25519.pub").read_text().strip()

    @property
    def log(self) -> str:
        path = self.place / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def allow(self, public: str) -> None:
        """Let a key in."""
        (self.place / "authorized_keys").write_text(public + "\n")

    def configure(self, *lines: str, host_keys: tuple[str, ...] = ("ed25519",)) -> None:
        """Write its configuration anew; every connection from now on is made under it."""
        sftp = next(
            (one for one in (UNPACKED / "usr/lib/openssh/sftp-server",) if one.exists()),
            Path("/usr/lib/openssh/sftp-server"),
        )
        told = [
            *(f"HostKey {self.place}/host_{kind}" for kind in host_keys),
            f"AuthorizedKeysFile {self.place}/authorized_keys",
            f"Subsystem sftp {sftp}",
            "UsePAM no",
            "StrictModes no",
            "PidFile none",
            "PrintMotd no",
            "PermitUserEnvironment no",
            "AcceptEnv *",
            *lines,
        ]
        (self.place / "sshd_config").write_text("\n".join(told) + "\n")

    def settle(self) -> None:
        """Write who may log in."""
        account = f"{self.user}:x:{UID}:{UID}::{self.home}:/bin/sh\n"
        kept = Path("/etc/passwd").read_text()
        apart = "sshd:x:64000:65534::/run/sshd:/usr/sbin/nologin\n" if "\nsshd:" not in kept else ""
        (self.place / "passwd").write_text(kept + apart + account)
        (self.place / "shadow").write_text(f"{self.user}:{_hashed(self.password)}:19000:0:99999:7:::\n")

    def serve(self, listening: socket.socket) -> None:
        """Start an sshd for whoever connects."""
        while True:
            try:
                visitor, _ = listening.accept()
            except OSError:
                return
            with visitor, (self.place / "log").open("ab") as log:
                self.connections += 1
                libraries = [str(one.parent) for one in UNPACKED.rglob("libwrap.so.0")]
                self.children.append(
                    subprocess.Popen(
                        ["unshare", "--mount", "sh", "-c", IN_A_NAMESPACE],
                        stdin=visitor,
                        stdout=visitor,
                        stderr=log,
                        env={
                            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                            "PLACE": str(self.place),
                            "SSHD": str(program()),
                            "LD_LIBRARY_PATH": ":".join(libraries),
                        },
                        start_new_session=True,
                    )
                )


def _hashed(password: str) -> str:
    """As shadow(5) has it: SHA-512 crypt, by the C library that sshd uses too."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    found: bytes = crypt(password.encode(), b"$6$rounds=1000$valetkeytest$")
    return found.decode()


@contextmanager
def running(user: str = "deploy", password: str = "hunter2", address: str = "127.0.0.1") -> Iterator[Sshd]:
    """A server on loopback, on a port that was free."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        tempfile.TemporaryDirectory(prefix="vk-sshd-") as folder,
        socket.create_server((address, 0), family=family) as listening,
    ):
        place = Path(folder)
        place.chmod(0o755)
        server = Sshd(place, user, password, address, listening.getsockname()[1])
        server.home.mkdir()
        shutil.chown(server.home, UID, UID)
        host_key(place)
        server.configure()
        server.settle()
        thread = threading.Thread(target=server.serve, args=(listening,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for child in server.children:
                child.terminate()
            for child in server.children:
                child.wait(10)
