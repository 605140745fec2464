"""PuTTY's keys in OpenSSH's format: the same key, as the real ssh-keygen reads it."""

import base64
import hashlib
import hmac
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.keys import PASSPHRASE, putty_key
from vault.errors import Invalid
from vault.model.keyfiles import try_key
from vault.model.puttykeys import PuttyFile


def wired(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def number(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1)


def in_putty(kind: str, public: bytes, private: bytes) -> str:
    """A key file of format 2 without a passphrase, as PuTTY's manual describes it."""
    key = hashlib.sha1(b"putty-private-key-file-mac-key", usedforsecurity=False).digest()
    covered = wired(kind.encode(), b"none", b"", public, private)
    lines = [f"PuTTY-User-Key-File-2: {kind}", "Encryption: none", "Comment: "]
    for name, data in (("Public", public), ("Private", private)):
        text = base64.b64encode(data).decode()
        cut = [text[at : at + 64] for at in range(0, len(text), 64)]
        lines += [f"{name}-Lines: {len(cut)}", *cut]
    return "\n".join([*lines, f"Private-MAC: {hmac.new(key, covered, 'sha1').hexdigest()}", ""])


def made() -> dict[str, tuple[str, str]]:
    """By type: the file, and the public half as OpenSSH writes it."""
    found = {}
    of_rsa = rsa.generate_private_key(65537, 2048)
    numbers = of_rsa.private_numbers()
    parts = (numbers.d, numbers.p, numbers.q, numbers.iqmp)
    of_curve = ec.generate_private_key(ec.SECP256R1())
    scalar = of_curve.private_numbers().private_value
    seed = bytes(range(1, 30)) + bytes(3)  # PuTTY leaves zeros at the end of the number out
    of_ed = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    for key, private in (
        (of_rsa, wired(*map(number, parts))),
        (of_curve, wired(number(scalar))),
        (of_ed, wired(seed.rstrip(b"\0"))),
    ):
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        kind, blob = line.split()
        found[kind] = (in_putty(kind, base64.b64decode(blob), private), line)
    return found


def read_by_ssh_keygen(folder: Path, text: str) -> str:
    path = folder / "key"
    path.write_text(text)
    path.chmod(0o600)
    told = subprocess.run(
        ["ssh-keygen", "-y", "-P", "", "-f", path], capture_output=True, text=True, check=True
    )
    path.unlink()
    return " ".join(told.stdout.split()[:2])


def test_keys_of_every_type_are_the_same_key_afterwards(tmp_path: Path) -> None:
    for kind, (text, line) in made().items():
        openssh = PuttyFile.parse(text).in_openssh("")
        try_key(openssh, "")
        assert read_by_ssh_keygen(tmp_path, openssh) == line, kind


@pytest.mark.parametrize("version", [2, 3])
def test_a_passphrase_is_taken_off_and_a_wrong_one_opens_nothing(tmp_path: Path, version: int) -> None:
    locked = PuttyFile.parse(putty_key(version, PASSPHRASE))
    bare = PuttyFile.parse(putty_key(version))
    assert read_by_ssh_keygen(tmp_path, locked.in_openssh(PASSPHRASE)) == read_by_ssh_keygen(
        tmp_path, bare.in_openssh("")
    )
    with pytest.raises(Invalid):
        locked.in_openssh("something else")
