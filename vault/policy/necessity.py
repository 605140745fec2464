"""What exactly a second person approves when a service type asks for an extraordinary kind. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from vault.crypto.encoding import pack
from vault.errors import Denied


@dataclass(frozen=True)
class Line:
    """A line of the catalogue that asks for an extraordinary kind, with all that its reader goes by."""

    type: str
    title: str
    kind: str
    because: str
    necessity: str
    approval: str
    """Whose yes each lease of it takes."""

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, in hexadecimal: another word is another line."""
        parts = (self.type, self.title, self.kind, self.because, self.necessity, self.approval)
        return sha256(pack("valetkey/v1/necessity", *parts)).hexdigest()


def require_approved(asked: Collection[str], waiting: Collection[str]) -> None:
    """No customer is asked for a kind whose line waits for its second person. Raises Denied."""
    if set(asked) & set(waiting):
        raise Denied(
            "an extraordinary kind of secret is among these, and its line in the catalogue waits for an "
            "administrator's approval"
        )
