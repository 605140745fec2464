"""Leases that take another person's yes: what exactly it is said to, and who may say it. Pure."""

from dataclasses import dataclass, field
from hashlib import sha256

from vault.crypto.encoding import pack


@dataclass(frozen=True)
class Asked:
    """A lease as it was asked for: whoever says yes says it to exactly this."""

    lease: str
    ticket: str
    person: str
    secrets: tuple[str, ...]
    minutes: int
    reason: str = field(repr=False)

    @property
    def digest(self) -> str:
        """Its SHA-256 in hexadecimal."""
        parts: tuple[str | int, ...] = (
            self.lease,
            self.ticket,
            self.person,
            self.minutes,
            self.reason,
            *self.secrets,
        )
        return sha256(pack("valetkey/v1/approval", *parts)).hexdigest()
