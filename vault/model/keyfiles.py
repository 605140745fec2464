"""Whether a private key loads and its passphrase opens it: what only work finds out, bounded before it is begun.

A key file says itself how often its passphrase is to be stretched; beyond what people's tools choose it is not tried.
"""

import base64
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

from vault.errors import Invalid
from vault.model.der import BROKEN, INTEGER, OBJECT, OCTET_STRING, SEQUENCE, Der, Wire
from vault.model.puttykeys import START, TOO_SLOW, PuttyFile
from vault.model.sshkeys import ENDS, OPENSSH, Pem, pem_of, read_key
from vault.sentences import Sentence

MOST_ROUNDS: Final = 1024
"""Of bcrypt in OpenSSH's format; ssh-keygen's own choice is 16 or 24, and each costs a few milliseconds."""
MOST_ITERATIONS: Final = 2_000_000
"""Of PBKDF2; OpenSSL's own choice is 2048, and two million take a second."""
MOST_MEMORY: Final = 256 * 1024 * 1024
"""Bytes that scrypt may take."""

NOT_OPENED = Sentence("This passphrase does not open the key")

_PBES2 = "2a864886f70d01050d"
_SCRYPT = "2b06010401da47040b"


def try_key(text: str, passphrase: str) -> None:
    """Load a private key that `read_key` took. Raises Invalid for one that does not load, and for a wrong passphrase.

    May take a second. A protection that this host's libraries cannot undo (OpenSSH's own, where the package `bcrypt`
    is not there) is taken as it is.
    """
    seen = read_key(text)
    encrypted = seen.encrypted
    if seen.type.startswith("DSA"):
        return  # the library is about to drop them, and warns of it; a person is asked about such a key anyway
    if not (_putty_opens if text.strip(ENDS).startswith(START) else _pem_opens)(text, passphrase, encrypted):
        if encrypted:
            raise Invalid(NOT_OPENED, "/fields/passphrase")
        raise Invalid(BROKEN, "/fields/private_key")


def _putty_opens(text: str, passphrase: str, _encrypted: bool) -> bool:
    return PuttyFile.parse(text.strip(ENDS)).opens(passphrase)


def _pem_opens(text: str, passphrase: str, encrypted: bool) -> bool:
    pem = pem_of(text)
    if encrypted and _work_of(pem) > 1:
        raise Invalid(TOO_SLOW, "/fields/private_key")
    load = load_ssh_private_key if pem.label == OPENSSH else load_pem_private_key
    try:
        load(_spelt(pem), passphrase.encode() if encrypted else None)
    except UnsupportedAlgorithm:
        return True
    except (ValueError, TypeError):
        return False
    return True


def _spelt(pem: Pem) -> bytes:
    """The block by itself, as the tools that read it expect it."""
    headers = "\n".join((*pem.headers, "", "")) if pem.headers else ""
    body = base64.encodebytes(pem.data).decode()
    return f"-----BEGIN {pem.label}-----\n{headers}{body}-----END {pem.label}-----\n".encode()


def _work_of(pem: Pem) -> float:
    """How much work its protection asks for, as a share of the most that is done here."""
    try:
        if pem.label == OPENSSH:
            wire = Wire(pem.data)
            wire.take(15)
            wire.string()
            wire.string()
            options = Wire(wire.string())
            options.string()
            return options.number() / MOST_ROUNDS
        if pem.label != "ENCRYPTED PRIVATE KEY":
            return 0
        algorithm = Der(pem.data).into(SEQUENCE).into(SEQUENCE)
        derivation = algorithm
        if algorithm.read(OBJECT).hex() == _PBES2:
            derivation = algorithm.into(SEQUENCE).into(SEQUENCE)
            if derivation.read(OBJECT).hex() == _SCRYPT:
                return _scrypt_work(derivation.into(SEQUENCE))
        parameters = derivation.into(SEQUENCE)
        parameters.read(OCTET_STRING)
        return int.from_bytes(parameters.read(INTEGER)) / MOST_ITERATIONS
    except Invalid:
        return 0  # it does not load either, and that is what is said then


def _scrypt_work(parameters: Der) -> float:
    parameters.read(OCTET_STRING)
    cost, size, lanes = (int.from_bytes(parameters.read(INTEGER)) for _ in range(3))
    return 128 * cost * size * lanes / MOST_MEMORY
