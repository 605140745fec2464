"""A passkey in software, with the browser around it: it answers as `toJSON()` would, and lies where a test says so.

passkey = SoftPasskey("https://vault.example")
answer = passkey.create(options)                              # what navigator.credentials.create gives
answer = passkey.get(options)                                 # what navigator.credentials.get gives
answer = passkey.get(options, Lies(user_verified=False))      # the same, but the user was not verified
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.cose import CoseKey

from vault.crypto.encoding import b64, unb64

ES256, EDDSA, RS256, RS1, ES384 = -7, -8, -257, -65535, -35
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80


@dataclass(frozen=True, kw_only=True)
class Lies:
    """What is not as it should be. None is the truth."""

    # what the browser says
    origin: str | None = None
    type: str | None = None
    challenge: bytes | None = None
    cross_origin: bool | None = None
    top_origin: str | None = None
    client_data: bytes | None = None
    """The whole of clientDataJSON, as it is signed."""
    # what the authenticator says
    rp_id: str | None = None
    user_present: bool | None = None
    user_verified: bool | None = None
    backup_eligible: bool | None = None
    backed_up: bool | None = None
    sign_count: int | None = None
    user_handle: bytes | None = None
    credential_id: bytes | None = None
    """The id in the answer; in a registration the attested one stays true."""
    public_key: Mapping[int, Any] | None = None
    """The COSE key that is attested."""
    flags: int = 0
    """More flags than the others make."""
    tail: bytes = b""
    """Bytes after the authenticator data, which are signed with it."""
    # what neither says, but somebody on the way
    attestation_tail: bytes = b""
    format: str = "none"
    statement: Mapping[str, Any] = field(default_factory=dict)
    signature: bytes | None = None


HONEST = Lies()


class SoftPasskey:
    """One key pair and its count. Synced passkeys do not count, and have their backup already."""

    def __init__(
        self, origin: str, *, alg: int = ES256, synced: bool = False, counts: bool | None = None
    ) -> None:
        self.origin = origin
        self.alg = alg
        self.synced = synced
        self.counts = not synced if counts is None else counts
        self.sign_count = 0
        self.id = secrets.token_bytes(32)
        self.user_handle = b""
        self.rp_id = ""
        self._key = _new_key(alg)

    @property
    def public_key(self) -> dict[int, Any]:
        """Its COSE key, as an honest authenticator attests it."""
        return dict(CoseKey.for_alg(self.alg).from_cryptography_key(self._key.public_key()))

    def create(self, options: Mapping[str, Any], lies: Lies = HONEST) -> dict[str, Any]:
        """The answer to PublicKeyCredentialCreationOptionsJSON: from now on it belongs to that user and host."""
        self.rp_id = options["rp"]["id"]
        self.user_handle = unb64(options["user"]["id"])
        client = self._client_data(options, "webauthn.create", lies)
        key = cbor.encode(dict(self.public_key if lies.public_key is None else lies.public_key))
        attested = bytes(16) + len(self.id).to_bytes(2) + self.id + key
        attestation = cbor.encode(
            {
                "fmt": lies.format,
                "attStmt": dict(lies.statement),
                "authData": self._authenticator_data(lies, AT, attested),
            }
        )
        return self._credential(
            lies,
            {
                "clientDataJSON": b64(client),
                "attestationObject": b64(attestation + lies.attestation_tail),
                "transports": ["internal", "hybrid"] if self.synced else ["usb"],
            },
        )

    def get(self, options: Mapping[str, Any], lies: Lies = HONEST) -> dict[str, Any]:
        """The answer to PublicKeyCredentialRequestOptionsJSON. An honest one with a name leaves the handle out."""
        client = self._client_data(options, "webauthn.get", lies)
        if self.counts:
            self.sign_count += 1
        authenticator = self._authenticator_data(lies)
        signature = self._sign(authenticator + hashlib.sha256(client).digest())
        response = {
            "clientDataJSON": b64(client),
            "authenticatorData": b64(authenticator),
            "signature": b64(signature if lies.signature is None else lies.signature),
        }
        if lies.user_handle is not None:
            response["userHandle"] = b64(lies.user_handle)
        elif not options["allowCredentials"]:
            response["userHandle"] = b64(self.user_handle)
        return self._credential(lies, response)

    def _client_data(self, options: Mapping[str, Any], kind: str, lies: Lies) -> bytes:
        if lies.client_data is not None:
            return lies.client_data
        said: dict[str, Any] = {
            "type": kind if lies.type is None else lies.type,
            "challenge": options["challenge"] if lies.challenge is None else b64(lies.challenge),
            "origin": self.origin if lies.origin is None else lies.origin,
            "crossOrigin": bool(lies.cross_origin),
        }
        if lies.top_origin is not None:
            said["topOrigin"] = lies.top_origin
        return json.dumps(said, separators=(",", ":")).encode()

    def _authenticator_data(self, lies: Lies, flags: int = 0, attested: bytes = b"") -> bytes:
        for flag, lie, truth in (
            (UP, lies.user_present, True),
            (UV, lies.user_verified, True),
            (BE, lies.backup_eligible, self.synced),
            (BS, lies.backed_up, self.synced),
        ):
            flags |= flag if (truth if lie is None else lie) else 0
        count = self.sign_count if lies.sign_count is None else lies.sign_count
        rp_id = self.rp_id if lies.rp_id is None else lies.rp_id
        hashed = hashlib.sha256(rp_id.encode()).digest()
        return hashed + bytes([flags | lies.flags]) + count.to_bytes(4) + attested + lies.tail

    def _credential(self, lies: Lies, response: dict[str, Any]) -> dict[str, Any]:
        said = b64(self.id if lies.credential_id is None else lies.credential_id)
        return {
            "id": said,
            "rawId": said,
            "type": "public-key",
            "authenticatorAttachment": "platform" if self.synced else "cross-platform",
            "clientExtensionResults": {},
            "response": response,
        }

    def _sign(self, message: bytes) -> bytes:
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(message)
        if isinstance(self._key, rsa.RSAPrivateKey):
            digest = hashes.SHA1() if self.alg == RS1 else hashes.SHA256()  # noqa: S303 (the lie that RS1 is)
            return self._key.sign(message, padding.PKCS1v15(), digest)
        return self._key.sign(message, ec.ECDSA(hashes.SHA384() if self.alg == ES384 else hashes.SHA256()))


def _new_key(alg: int) -> ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey:
    if alg == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if alg in {RS256, RS1}:
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP384R1() if alg == ES384 else ec.SECP256R1())
