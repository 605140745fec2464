"""What a text that should be a private key is: told from its outside, with neither passphrase nor arithmetic.

1. Leave white space at both ends, and whatever a file says before its key; see whether it is one at all, and if it
   is not, which other thing it is: a public key, a certificate, half a key.
2. PuTTY's files (formats 2 and 3), OpenSSH's own format, PKCS#1, SEC1 and PKCS#8 are read as far as they are open, and
   everything in them has to be as long as it says.
3. Of every key whose public half stands in the open the fingerprint is given.

`api/static/sshkey.js` is the same rule for the browser, and a test holds the two together.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from itertools import takewhile

from vault.errors import Invalid
from vault.model.der import (
    BIT_STRING,
    BROKEN,
    INTEGER,
    OBJECT,
    OCTET_STRING,
    SEQUENCE,
    Der,
    Wire,
    unbase64,
    wired,
)
from vault.model.puttykeys import START, PuttyFile
from vault.model.verdict import Verdict
from vault.sentences import Sentence

LONGEST = 65_536
"""Characters; far above any key."""

PUBLIC = Sentence(
    "This is the public half of a key. We need the private one: the file of the same name without .pub"
)
CERTIFICATE = Sentence("This is a certificate. We need the private key that you log in with")
PGP = Sentence("This is a PGP key, which no server takes for a login")
OTHER_FORMAT = Sentence(
    "This key is in a format that few programs read. Export it in the format of OpenSSH, and give that"
)
NO_KEY = Sentence(
    "This is no private key. One starts with -----BEGIN, or in PuTTY's format with PuTTY-User-Key-File"
)
NO_BEGIN = Sentence("The first line is missing, the one that starts with -----BEGIN. Copy the whole file")
NO_END = Sentence("The last line is missing, the one that starts with -----END. Copy the whole file")
ONE_LINE = Sentence(
    "The line breaks of the key got lost on the way. Choose the file instead of copying its text"
)
INDENTED = Sentence("There are spaces before the lines of the key. Copy it from its file, or choose the file")
TWO = Sentence("There is more than one key in it. Enter only the one that you log in with on this server")
TOO_LARGE = Sentence("This is too large to be a key")
HARDWARE = Sentence(
    "This key works only together with a security key that stays with you. Please make another one for us"
)
UNKNOWN = Sentence("This is a kind of key that servers do not take for a login")

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY)-----", re.ASCII)
_END = re.compile(r"-----END ([A-Z0-9 ]{0,40}PRIVATE KEY)-----", re.ASCII)
_PUBLIC = re.compile(
    r"(?:ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]{1,60} AAAA"
    r"|-----BEGIN (?:[A-Z0-9]{1,20} )?PUBLIC KEY-----|---- BEGIN SSH2 PUBLIC KEY ----",
    re.ASCII,
)
_HEADER = re.compile(r"\A[A-Za-z0-9-]+:(?: .*)?")
ENDS = " \t\r\n\ufeff"

OPENSSH = "OPENSSH PRIVATE KEY"

_CURVES = {
    "2a8648ce3d030107": "nistp256",
    "2b81040022": "nistp384",
    "2b81040023": "nistp521",
}
_SHORTEST_RSA, _LARGEST_RSA = 2048, 16_384
_TAGGED = {b"aes128-gcm@openssh.com": 16, b"aes256-gcm@openssh.com": 16, b"chacha20-poly1305@openssh.com": 16}
_BLOCKS = (8, 16)


@dataclass(frozen=True)
class _Key:
    name: str
    """Of the type; empty where it cannot be seen."""
    public: bytes = b""
    bits: int = 0
    encrypted: bool = False


def read_key(text: str) -> Verdict:
    """Say what this text is. Never raises; `wrong` is what nobody could log in with."""
    if len(text) > LONGEST:
        return Verdict("wrong", TOO_LARGE)
    stripped = text.strip(ENDS)
    try:
        if stripped.startswith(START):
            return _verdict(_putty(stripped), in_putty=True)
        return _verdict(_key_of(pem_of(stripped)), in_putty=False)
    except Invalid as fault:
        return Verdict("wrong", fault.sentence)


def _verdict(key: _Key, *, in_putty: bool) -> Verdict:
    sentence = _described(key, in_putty=in_putty)
    doubt = _doubted(key, sentence)
    digest = base64.b64encode(hashlib.sha256(key.public).digest()).decode().rstrip("=")
    return Verdict(
        "question" if doubt else "good",
        doubt or sentence,
        f"{key.name} {key.bits}" if key.bits else key.name,
        f"SHA256:{digest}" if key.public else "",
        key.encrypted,
    )


def _doubted(key: _Key, sentence: Sentence) -> Sentence | None:
    if key.name == "DSA":
        return Sentence("%(key)s. Servers of today refuse DSA keys. Is it the right one?", key=sentence)
    if key.name == "RSA" and 0 < key.bits < _SHORTEST_RSA:
        return Sentence(
            "%(key)s. That is short, and many servers refuse it. Is it the right one?", key=sentence
        )
    return None


def _described(key: _Key, *, in_putty: bool) -> Sentence:
    match key.name:
        case "":
            said = Sentence("A key")
        case "DSA":
            said = Sentence("A DSA key")
        case _:
            said = Sentence("An %(type)s key", type=key.name)
    if key.bits:
        said = Sentence("%(key)s of %(bits)s bits", key=said, bits=str(key.bits))
    if in_putty:
        said = Sentence("%(key)s, in PuTTY's format", key=said)
    if key.encrypted:
        return Sentence("%(key)s, protected by a passphrase: enter that too", key=said)
    return Sentence("%(key)s, without a passphrase", key=said)


@dataclass(frozen=True)
class Pem:
    """One block of a text in PEM (RFC 7468, and RFC 1421 for its headers)."""

    label: str
    headers: tuple[str, ...]
    data: bytes


def pem_of(text: str) -> Pem:
    """Find the one private key of a text. Raises Invalid with a sentence for whoever copied it."""
    lines = [line.rstrip(" \t") for line in re.split(r"\r\n|\n|\r", text.strip(ENDS))]
    begins = [at for at, line in enumerate(lines) if _BEGIN.fullmatch(line)]
    if not begins:
        raise Invalid(_other(lines))
    if len(begins) > 1:
        raise Invalid(TWO)
    label = lines[begins[0]].removeprefix("-----BEGIN ").removesuffix("-----")
    rest = lines[begins[0] + 1 :]
    if f"-----END {label}-----" not in rest:
        raise Invalid(_unended(rest))
    body = rest[: rest.index(f"-----END {label}-----")]
    if any(line[:1] in (" ", "\t") for line in body):
        raise Invalid(INDENTED)
    headers = tuple(takewhile(_HEADER.fullmatch, body))
    return Pem(label, headers, unbase64("".join(body[len(headers) :])))


def _unended(rest: list[str]) -> Sentence:
    if any(_END.fullmatch(line) for line in rest):
        return BROKEN
    if any(_END.fullmatch(line.lstrip(" \t")) for line in rest):
        return INDENTED
    return ONE_LINE if any(_END.search(line) for line in rest) else NO_END


def _other(lines: list[str]) -> Sentence:
    """What it is that is no private key in PEM."""
    text = "\n".join(lines)
    if any(_BEGIN.fullmatch(line.lstrip(" \t>")) for line in lines):
        return INDENTED
    if _BEGIN.search(text):
        return ONE_LINE
    if _PUBLIC.search(text):
        return PUBLIC
    if any(_END.fullmatch(line.lstrip(" \t")) for line in lines):
        return NO_BEGIN
    for mark, sentence in (
        ("-----BEGIN CERTIFICATE-----", CERTIFICATE),
        ("-----BEGIN PGP ", PGP),
        ("---- BEGIN SSH2 ", OTHER_FORMAT),
    ):
        if mark in text:
            return sentence
    return NO_KEY


def _key_of(pem: Pem) -> _Key:
    label, data = pem.label, pem.data
    match label:
        case "OPENSSH PRIVATE KEY":
            return _openssh(data)
        case "ENCRYPTED PRIVATE KEY":
            der = _whole(data)
            der.read(SEQUENCE)
            der.read(OCTET_STRING)
            return _Key("", encrypted=True)
        case "RSA PRIVATE KEY" | "DSA PRIVATE KEY" | "EC PRIVATE KEY":
            if any(header.startswith("Proc-Type:") and "ENCRYPTED" in header for header in pem.headers):
                name = {"RSA": "RSA", "DSA": "DSA", "EC ": "ECDSA"}[label[:3]]
                return _Key(name, encrypted=True)
            return {"RSA": _pkcs1, "DSA": _dsa, "EC ": _sec1}[label[:3]](_whole(data))
        case "PRIVATE KEY":
            return _pkcs8(_whole(data))
    raise Invalid(OTHER_FORMAT)


def _openssh(data: bytes) -> _Key:
    """PROTOCOL.key of OpenSSH: the public half stands in the open, also of an encrypted key."""
    wire = Wire(data)
    if wire.take(15) != b"openssh-key-v1\0":
        raise Invalid(BROKEN)
    cipher = wire.string()
    wire.string()
    wire.string()
    if wire.number() != 1:
        raise Invalid(TWO)
    public, private = wire.string(), wire.string()
    if wire.left != _TAGGED.get(cipher, 0) or not private or len(private) % _BLOCKS[cipher != b"none"]:
        raise Invalid(BROKEN)
    key = _public(public, encrypted=cipher != b"none")
    if not key.encrypted:
        inside = Wire(private)
        if inside.number() != inside.number() or inside.string() != Wire(public).string():
            raise Invalid(BROKEN)
    return key


def _public(blob: bytes, *, encrypted: bool) -> _Key:
    """Name a public key as it goes over the wire (RFC 4253, 6.6)."""
    wire = Wire(blob)
    name = wire.string().decode("latin-1")
    if name.startswith("sk-"):
        raise Invalid(HARDWARE)
    match name:
        case "ssh-rsa":
            wire.string()
            key = _Key("RSA", blob, _bits(wire.string()), encrypted)
        case "ssh-dss":
            key = _Key("DSA", blob, _bits(wire.string()), encrypted)
            for _ in range(3):
                wire.string()
        case "ssh-ed25519":
            if len(wire.string()) != 32:  # noqa: PLR2004 (RFC 8709)
                raise Invalid(BROKEN)
            key = _Key("Ed25519", blob, 0, encrypted)
        case "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521":
            wire.string()
            wire.string()
            key = _Key("ECDSA", blob, int(name[-3:]), encrypted)
        case _:
            raise Invalid(UNKNOWN)
    if wire.left:
        raise Invalid(BROKEN)
    return key


def _bits(number: bytes) -> int:
    bits = int.from_bytes(number).bit_length()
    if not 0 < bits <= _LARGEST_RSA:
        raise Invalid(BROKEN)
    return bits


def _whole(data: bytes) -> Der:
    """The values of the one sequence that a key in DER is, to its last byte."""
    outer = Der(data)
    inner = outer.into(SEQUENCE)
    if not outer.is_over:
        raise Invalid(BROKEN)
    return inner


def _pkcs1(der: Der) -> _Key:
    der.read(INTEGER)
    modulus, exponent = der.read(INTEGER), der.read(INTEGER)
    for _ in range(6):
        der.read(INTEGER)
    return _public(wired(b"ssh-rsa", exponent, modulus), encrypted=False)


def _dsa(der: Der) -> _Key:
    der.read(INTEGER)
    numbers = [der.read(INTEGER) for _ in range(4)]
    der.read(INTEGER)
    return _public(wired(b"ssh-dss", *numbers), encrypted=False)


def _sec1(der: Der, curve: str = "") -> _Key:
    """RFC 5915; inside PKCS#8 the curve stands outside."""
    der.read(INTEGER)
    der.read(OCTET_STRING)
    if der.tag == 0xA0:  # noqa: PLR2004 (RFC 5915: parameters [0])
        curve = _curve(der.into(0xA0))
    if not curve:
        raise Invalid(BROKEN)
    if der.tag != 0xA1:  # noqa: PLR2004 (RFC 5915: publicKey [1])
        return _Key("ECDSA", b"", int(curve[-3:]))
    point = der.into(0xA1).read(BIT_STRING)[1:]
    return _public(wired(b"ecdsa-sha2-" + curve.encode(), curve.encode(), point), encrypted=False)


def _curve(der: Der) -> str:
    curve = _CURVES.get(der.read(OBJECT).hex(), "")
    if not curve:
        raise Invalid(UNKNOWN)
    return curve


def _pkcs8(der: Der) -> _Key:
    """RFC 5208 and RFC 8410. The public half of an Ed25519 key is seldom in it, and nothing is computed here."""
    der.read(INTEGER)
    algorithm, inside = der.into(SEQUENCE), der.read(OCTET_STRING)
    match algorithm.read(OBJECT).hex():
        case "2a864886f70d010101":
            return _pkcs1(_whole(inside))
        case "2a8648ce3d0201":
            return _sec1(_whole(inside), _curve(algorithm))
        case "2b6570":
            return _Key("Ed25519")
        case "2a8648ce380401":
            return _Key("DSA", b"", _bits(algorithm.into(SEQUENCE).read(INTEGER)))
    raise Invalid(UNKNOWN)


def _putty(text: str) -> _Key:
    file = PuttyFile.parse(text)
    key = _public(file.public, encrypted=file.encrypted)
    if Wire(file.public).string().decode("latin-1") != file.type:
        raise Invalid(BROKEN)
    return key
