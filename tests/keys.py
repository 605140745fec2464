"""Keys as customers have them: from the real ssh-keygen, and PuTTY's files built by the words of its manual."""

import base64
import hashlib
import hmac
import shutil
import subprocess
from pathlib import Path

import pytest
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

PASSPHRASE = "drei Körbe voll"


def openssh_key(seed: bytes = bytes(32)) -> str:
    """An Ed25519 key in OpenSSH's own format, without a passphrase."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def made_by_ssh_keygen(folder: Path) -> dict[str, Path]:
    """A key of every type in every format that ssh-keygen writes, with and without a passphrase."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen on this machine")
    found: dict[str, Path] = {}
    for kind, bits in (
        ("ed25519", ""),
        ("rsa", "2048"),
        ("rsa", "1024"),
        ("ecdsa", "256"),
        ("ecdsa", "384"),
        ("ecdsa", "521"),
    ):
        for locked in ("", PASSPHRASE):
            for shape in ("RFC4716", "PEM", "PKCS8"):
                if kind == "ed25519" and shape != "RFC4716":
                    continue  # ssh-keygen writes it in its own format only
                name = f"{kind}{bits} {shape} {'locked' if locked else 'open'}"
                path = folder / name.replace(" ", "_")
                size = ["-b", bits] if bits else []
                if shape == "RFC4716":
                    keygen("-t", kind, *size, "-N", locked, "-f", str(path), "-C", "me@home")
                else:
                    path.write_bytes(found[f"{kind}{bits} RFC4716 open"].read_bytes())
                    path.chmod(0o600)
                    keygen("-p", "-m", shape, "-P", "", "-N", locked, "-f", str(path))
                found[name] = path
    return found


def keygen(*arguments: str) -> str:
    return subprocess.run(["ssh-keygen", "-q", *arguments], check=True, capture_output=True, text=True).stdout


def putty_key(version: int = 3, passphrase: str = "", *, memory: int = 64, comment: str = "me@home") -> str:
    """An Ed25519 key in PuTTY's format, as its manual describes it (appendix C)."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    blob = _wired(b"ssh-ed25519", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    plain = _wired(bytes(32))
    encryption = "aes256-cbc" if passphrase else "none"
    if passphrase:
        plain += _sha1(plain)[: -len(plain) % 16]
    typed, salt = passphrase.encode(), bytes(range(16))
    derivation = ""
    if version == 2:
        cipher_key = (_sha1(bytes(4) + typed) + _sha1(b"\0\0\0\1" + typed))[:32]
        start, mac_key = bytes(16), _sha1(b"putty-private-key-file-mac-key" + typed)
    elif passphrase:
        made = hash_secret_raw(typed, salt, 2, memory, 1, 80, Type.ID)
        cipher_key, start, mac_key = made[:32], made[32:48], made[48:]
        derivation = (
            f"Key-Derivation: Argon2id\nArgon2-Memory: {memory}\nArgon2-Passes: 2\n"
            f"Argon2-Parallelism: 1\nArgon2-Salt: {salt.hex()}\n"
        )
    else:
        cipher_key, start, mac_key = b"", b"", b""
    private = plain
    if passphrase:
        private = Cipher(algorithms.AES256(cipher_key), modes.CBC(start)).encryptor().update(plain)
    covered = _wired(b"ssh-ed25519", encryption.encode(), comment.encode(), blob, plain)
    mac = hmac.new(mac_key, covered, "sha1" if version == 2 else "sha256").hexdigest()
    return (
        f"PuTTY-User-Key-File-{version}: ssh-ed25519\nEncryption: {encryption}\nComment: {comment}\n"
        f"{_counted('Public', blob)}{derivation}{_counted('Private', private)}Private-MAC: {mac}\n"
    )


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _wired(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _counted(name: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join((f"{name}-Lines: {len(lines)}", *lines, ""))
