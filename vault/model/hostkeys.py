"""The key of an SSH server, as one line of OpenSSH's: its type and what it is, by which anybody knows it again."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from vault.errors import Invalid
from vault.model.der import Wire, unbase64

TYPES: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)
"""Those that are met today, the best first."""

LONGEST: Final = 4_000
"""Characters of a line; one of RSA with 16,384 bits has 2,800."""


@dataclass(frozen=True)
class ServerKey:
    """A server's public key. `blob` is what goes over the wire (RFC 4253, 6.6)."""

    type: str
    blob: bytes

    @classmethod
    def parse(cls, line: str) -> "ServerKey":
        """Read `type base64`, and leave a comment behind it. Raises Invalid for anything else."""
        type_, _, rest = line.strip().partition(" ")
        encoded = rest.split(" ", 1)[0]
        if type_ not in TYPES or not encoded or len(line) > LONGEST:
            raise Invalid("this is no host key of a server", "/line")
        blob = unbase64(encoded)
        if Wire(blob).string() != type_.encode():
            raise Invalid("this is no host key of a server", "/line")
        return cls(type_, blob)

    @property
    def line(self) -> str:
        """The same as a line."""
        return f"{self.type} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` writes it: `SHA256:` and base64 without its padding."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")
