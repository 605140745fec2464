"""Checkpoints (C2SP tlog-checkpoint): the ledger's size and root, ready to be signed."""

from base64 import b64encode
from dataclasses import dataclass

from vault.errors import Invalid, Tampered
from vault.ledger import note, verify


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log `origin` has `size` entries, and `root` is the 32-byte root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Give the three lines that are signed. Raises Invalid for what could not be parsed back."""
        lines = f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"
        try:
            verify.parse_checkpoint(lines)
        except verify.NotVerified:
            raise Invalid("this cannot be a checkpoint of the ledger") from None
        return lines


def parse(text: str) -> Checkpoint:
    """Read the text of a checkpoint, signatures already taken off. Raises Tampered."""
    try:
        return Checkpoint(*verify.parse_checkpoint(text))
    except verify.NotVerified as refusal:
        raise Tampered(str(refusal)) from None


def open_checkpoint(signed: str, vkey: str) -> Checkpoint:
    """Read a signed checkpoint that the key of `vkey` signed. Raises Tampered."""
    return parse(note.open_note(signed, vkey))
