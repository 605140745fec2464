"""Signed notes (C2SP signed-note) with Ed25519: how the ledger vouches for a text."""

from base64 import b64encode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vault.errors import Invalid, Tampered
from vault.ledger import verify


class Signer:
    """A named Ed25519 key. The name of the ledger's own key is its origin."""

    __slots__ = ("_key", "_number", "name", "vkey")

    def __init__(self, name: str, private: bytes) -> None:
        """Take a name that C2SP allows and a 32-byte seed (RFC 8032). Raises Invalid."""
        if not verify.is_key_name(name):
            raise Invalid("a signing key's name has no spaces and no plus")
        if len(private) != 32:  # noqa: PLR2004 - RFC 8032's seed
            raise Invalid("a signing key has 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        public = self._key.public_key().public_bytes_raw()
        self._number = verify.key_id(name, public)
        self.name = name
        self.vkey = f"{name}+{self._number.hex()}+{b64encode(verify.ED25519 + public).decode()}"
        """The public verifier key, to be handed out by a way of its own."""

    def __repr__(self) -> str:
        return f"Signer({self.name!r})"

    def sign(self, text: str) -> str:
        """Give the note for a text that ends in a newline: text and one signature line. Raises Invalid."""
        if not text.endswith("\n") or any(character < " " and character != "\n" for character in text):
            raise Invalid("a note's text ends in a newline and holds no other control characters")
        try:
            signature = self._number + self._key.sign(text.encode())
        except UnicodeEncodeError:
            raise Invalid("a note's text is UTF-8") from None
        return f"{text}\n— {self.name} {b64encode(signature).decode()}\n"


def open_note(note: str, vkey: str) -> str:
    """Give the text of a note that the key of `vkey` signed. Raises Tampered for every other."""
    try:
        return verify.open_note(note, vkey, _signed_by)
    except verify.NotVerified as refusal:
        raise Tampered(str(refusal)) from None


def _signed_by(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
