"""PuTTY's key files, formats 2 and 3 (PuTTY's manual, appendix C): what they are, and whether a passphrase opens them.

The MAC covers both halves and needs the passphrase, so it tells a wrong passphrase and every change.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from vault.errors import Invalid
from vault.model.der import BROKEN, Wire, unbase64, wired
from vault.sentences import Sentence

START: Final = "PuTTY-User-Key-File-"
OLD = Sentence(
    "This PuTTY key is in a format of long ago. Open it in PuTTYgen, save it again, and give the new file"
)
NO_MAC = Sentence("The end is missing: the last line starts with Private-MAC. Copy the whole file")
TOO_SLOW = Sentence(
    "The key is protected by so much work that we cannot check its passphrase. Save it with less, and give that"
)

MOST_MEMORY: Final = 256 * 1024
"""KiB that Argon2 may take; PuTTYgen's own choice is 8192."""
MOST_WORK: Final = 4 * 1024 * 1024
"""KiB times passes; a few seconds."""

_BLOCK = 16
_NUMBER = re.compile(r"[0-9]{1,7}", re.ASCII)
_FLAVOURS = ("Argon2d", "Argon2i", "Argon2id")


@dataclass(frozen=True)
class PuttyFile:
    """A key file as it lies there."""

    version: int
    type: str
    headers: dict[str, str]
    public: bytes
    private: bytes
    """Encrypted, where the file says so."""

    @property
    def encrypted(self) -> bool:
        """Whether a passphrase is needed."""
        return self.headers["Encryption"] != "none"

    @classmethod
    def parse(cls, text: str) -> "PuttyFile":
        """Read a text that begins with START. Raises Invalid with a sentence for whoever copied it."""
        lines = re.split(r"\r\n|\n|\r", text)
        version = lines[0][len(START) : len(START) + 3]
        if version not in ("2: ", "3: "):
            raise Invalid(OLD)
        pairs = [line.split(": ", 1) for line in lines if ": " in line]
        headers = dict(pairs)
        if "Private-MAC" not in headers:
            raise Invalid(NO_MAC)
        mac = headers["Private-MAC"].rstrip(" \t")
        if len(headers) != len(pairs) or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", mac, re.ASCII):
            raise Invalid(BROKEN)
        if headers.get("Encryption") not in ("none", "aes256-cbc"):
            raise Invalid(BROKEN)
        found = cls(
            int(version[0]),
            lines[0][len(START) + 3 :].rstrip(" \t"),
            headers,
            _counted(lines, "Public-Lines"),
            _counted(lines, "Private-Lines"),
        )
        if found.encrypted and len(found.private) % _BLOCK:
            raise Invalid(BROKEN)
        return found

    def opens(self, passphrase: str) -> bool:
        """Tell whether the MAC fits. Raises Invalid where the file asks for more work than is ever done here."""
        return self._opened(passphrase) is not None

    def in_openssh(self, passphrase: str) -> str:
        """The same key in OpenSSH's own format (its PROTOCOL.key), without a passphrase. Raises Invalid."""
        private = self._opened(passphrase)
        if private is None:
            raise Invalid(BROKEN)
        outside, inside = Wire(self.public), Wire(private)
        name = outside.string()
        match self.type:
            case "ssh-ed25519":
                public, seed = outside.string(), inside.string().ljust(32, b"\0")
                parts = [public, seed + public]
            case "ssh-rsa":
                exponent, modulus = outside.string(), outside.string()
                secret, first, second, inverse = (inside.string() for _ in range(4))
                parts = [modulus, exponent, secret, inverse, first, second]
            case _:
                parts = [outside.string(), outside.string(), inside.string()]
        check = secrets.token_bytes(4) * 2
        whole = check + wired(name, *parts, b"")
        whole += bytes(range(1, 1 + -len(whole) % 8))
        told = (
            b"openssh-key-v1\0" + wired(b"none", b"none", b"") + (1).to_bytes(4) + wired(self.public, whole)
        )
        body = base64.encodebytes(told).decode()
        return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}-----END OPENSSH PRIVATE KEY-----\n"

    def _opened(self, passphrase: str) -> bytes | None:
        """The private half, once the MAC fits; None where it does not."""
        typed = passphrase.encode() if self.encrypted else b""
        key, start, mac_key = self._keys(typed)
        private = self.private
        if self.encrypted:
            opener = Cipher(algorithms.AES256(key), modes.CBC(start)).decryptor()
            private = opener.update(private) + opener.finalize()
        parts = [self.type, self.headers["Encryption"], self.headers.get("Comment", "")]
        covered = wired(*(part.encode() for part in parts), self.public, private)
        mac = hmac.digest(mac_key, covered, "sha1" if self.version == 2 else "sha256")  # noqa: PLR2004
        fits = hmac.compare_digest(mac.hex(), self.headers["Private-MAC"].rstrip(" \t"))
        return private if fits else None

    def _keys(self, passphrase: bytes) -> tuple[bytes, bytes, bytes]:
        """Key and initial value of the cipher, and the key of the MAC."""
        if self.version == 2:  # noqa: PLR2004
            cipher_key = b"".join(_sha1(count.to_bytes(4) + passphrase) for count in (0, 1))[:32]
            return cipher_key, bytes(_BLOCK), _sha1(b"putty-private-key-file-mac-key" + passphrase)
        if not self.encrypted:
            return b"", b"", b""
        made = self._argon2(passphrase)
        return made[:32], made[32:48], made[48:]

    def _argon2(self, passphrase: bytes) -> bytes:
        from argon2.low_level import Type, hash_secret_raw  # noqa: PLC0415 (the intake stretches nothing)

        memory, passes, lanes = (
            self._number(f"Argon2-{name}") for name in ("Memory", "Passes", "Parallelism")
        )
        flavour = self.headers.get("Key-Derivation", "").rstrip(" \t")
        salt = self.headers.get("Argon2-Salt", "").rstrip(" \t")
        if flavour not in _FLAVOURS or not re.fullmatch(r"(?:[0-9a-f]{2}){8,64}", salt, re.ASCII):
            raise Invalid(BROKEN, "/fields/private_key")
        if not 8 * lanes <= memory <= MOST_MEMORY or memory * passes > MOST_WORK or not 1 <= lanes <= 16:  # noqa: PLR2004
            raise Invalid(TOO_SLOW, "/fields/private_key")
        kind = {"Argon2d": Type.D, "Argon2i": Type.I, "Argon2id": Type.ID}[flavour]
        return hash_secret_raw(passphrase, bytes.fromhex(salt), max(passes, 1), memory, lanes, 80, kind)

    def _number(self, name: str) -> int:
        text = self.headers.get(name, "").rstrip(" \t")
        if not _NUMBER.fullmatch(text):
            raise Invalid(BROKEN, "/fields/private_key")
        return int(text)


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()  # PuTTY's own choice for format 2


def _counted(lines: list[str], name: str) -> bytes:
    """The bytes of the lines that this header counts."""
    for at, line in enumerate(lines):
        count = line.removeprefix(f"{name}: ").rstrip(" \t")
        if line.startswith(f"{name}: ") and re.fullmatch(r"[0-9]{1,4}", count, re.ASCII):
            body = lines[at + 1 : at + 1 + int(count)]
            if any(":" in one for one in body) or len(body) != int(count):
                raise Invalid(BROKEN)
            return unbase64("".join(one.rstrip(" \t") for one in body))
    raise Invalid(BROKEN)
