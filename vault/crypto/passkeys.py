"""Passkeys (WebAuthn Level 3): what a browser is asked, and whether its answer is to be believed.

The cryptography and the parsing are fido2's. What it leaves to its callers is done here: one spelling of everything,
no frames, only the algorithms that were asked for with keys that make sense, and the rules on backup and counting.
Nothing is kept here: callers store each challenge, and spend it whatever the answer.

A refusal says one sentence for every fault, because an exact one would help only somebody who tries out lies.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    RegistrationResponse,
    UserVerificationRequirement,
)

from vault.crypto.encoding import b64, unb64
from vault.errors import Denied, Tampered

CHALLENGE_BYTES: Final = 32
TIMEOUT_MS: Final = 5 * 60 * 1000
"""How long a browser waits for its user: as long as a proof of presence would be good."""
LARGEST_ANSWER: Final = 16 * 1024
"""Characters of base64 that are read of one answer. Real ones have 300 to 3,000."""
LARGEST_CREDENTIAL_ID: Final = 1023
"""Bytes (WebAuthn L3 §4, Credential ID)."""

_ES256, _EDDSA, _RS256 = -7, -8, -257
ALGORITHMS: Final = (_ES256, _EDDSA, _RS256)
"""In order of preference. RS256 is there for Windows Hello, whose TPM keys are often RSA only: without it, a business
that takes only passkeys which stay on one device would refuse the one that its people's computers have."""

NOT_ACCEPTED: Final = "the passkey was not accepted"
LEAVES_THE_DEVICE: Final = "this business takes only passkeys that stay on one device, like a security key"

_STAYS, _SYNCED = b"\x00", b"\x01"
"""What stands before the credential in `Passkey.data`: whether it may be backed up, which never changes."""


@dataclass(frozen=True)
class RelyingParty:
    """This vault, as browsers know it: its host name, its exact origin, and the name that people read."""

    host: str
    origin: str
    name: str
    device_bound: bool = False
    """Whether only passkeys that cannot leave their device are taken."""


@dataclass(frozen=True)
class Passkey:
    """What registering one gives. `data` is opaque: the public key and what goes with it, for `verify`."""

    credential_id: bytes
    data: bytes = field(repr=False)
    sign_count: int
    backed_up: bool
    """Whether there is a copy somewhere at this moment; it may change."""
    device_bound: bool
    """Whether there never can be one."""


def new_challenge() -> bytes:
    """32 random bytes, to be signed once."""
    return secrets.token_bytes(CHALLENGE_BYTES)


def credential_handle(credential_id: bytes) -> bytes:
    """What a passkey is looked up by: a hash (32 bytes), so that a stolen database cannot name anybody's passkeys."""
    return hashlib.sha256(b"valetkey passkey\n" + credential_id).digest()


def registration_options(
    rp: RelyingParty,
    challenge: bytes,
    user_id: bytes,
    user_name: str,
    display_name: str,
    exclude: Sequence[bytes],
) -> dict[str, Any]:
    """What to create, as `PublicKeyCredential.parseCreationOptionsFromJSON` takes it (WebAuthn L3 §5.1.9).

    `user_id` has 1 to 64 bytes and comes back in assertions; `exclude` are the ids of the passkeys that the person has.
    No attestation is asked for: it would say who made the authenticator, and nothing is decided by that.
    """
    options: dict[str, Any] = {
        "rp": {"id": rp.host, "name": rp.name},
        "user": {"id": b64(user_id), "name": user_name, "displayName": display_name},
        "challenge": b64(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
        "timeout": TIMEOUT_MS,
        "excludeCredentials": _descriptors(exclude),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }
    if rp.device_bound:
        options["hints"] = ["security-key", "client-device"]
    return options


def assertion_options(rp: RelyingParty, challenge: bytes, allow: Sequence[bytes]) -> dict[str, Any]:
    """What to sign, as `PublicKeyCredential.parseRequestOptionsFromJSON` takes it (WebAuthn L3 §5.1.10).

    `allow` are credential ids; none lets the browser offer what it has, for a sign-in without a name.
    """
    return {
        "challenge": b64(challenge),
        "timeout": TIMEOUT_MS,
        "rpId": rp.host,
        "allowCredentials": _descriptors(allow),
        "userVerification": "required",
    }


def _descriptors(credential_ids: Sequence[bytes]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": b64(credential_id)} for credential_id in credential_ids]


def register(rp: RelyingParty, challenge: bytes, answer: Mapping[str, Any]) -> Passkey:
    """The passkey that a browser made (WebAuthn L3 §7.1). `answer` is the credential's `toJSON()`.

    Raises Denied: one sentence for every fault of the answer, another one for a passkey that can leave its device
    where `rp` takes none of those. That the credential id is nobody's yet is for the caller to check.
    """
    with _one_refusal():
        credential_id, client_data, attestation = _read(answer, "clientDataJSON", "attestationObject")
        client = _client_data(challenge, client_data)
        made = AttestationObject(attestation)
        _demand(_each_thing_once(attestation))
        _demand(made.fmt != "none" or not made.att_stmt)
        auth = _server(rp).register_complete(
            _state(challenge),
            RegistrationResponse(
                raw_id=credential_id,
                response=AuthenticatorAttestationResponse(client_data=client, attestation_object=made),
            ),
        )
        credential = auth.credential_data
        _check_flags(auth)
        if credential is None or credential.credential_id != credential_id:
            raise Denied(NOT_ACCEPTED)
        _check_key(credential.public_key)
    if rp.device_bound and auth.is_backup_eligible():
        raise Denied(LEAVES_THE_DEVICE)
    return Passkey(
        credential_id,
        (_SYNCED if auth.is_backup_eligible() else _STAYS) + bytes(credential),
        auth.counter,
        auth.is_backed_up(),
        not auth.is_backup_eligible(),
    )


def credential_id_of(answer: Mapping[str, Any]) -> bytes:
    """Which passkey claims to have answered: nothing is proved by it. Raises Denied for what is no answer."""
    with _one_refusal():
        return _read(answer)[0]


def verify(
    rp: RelyingParty,
    challenge: bytes,
    answer: Mapping[str, Any],
    data: bytes,
    sign_count: int,
    user_id: bytes,
) -> int:
    """The new count of signatures, if this passkey answered this challenge (WebAuthn L3 §7.2).

    `data` is what `register` gave, `sign_count` the last count that was stored: it must grow, unless the passkey
    does not count at all. `user_id` is whose passkey it is. Raises Denied, one sentence for every fault of the answer;
    Tampered when `data` is not what `register` gave.
    """
    synced, credential = _stored(data)
    with _one_refusal():
        credential_id, client_data, signed, signature = _read(
            answer, "clientDataJSON", "authenticatorData", "signature"
        )
        handle = answer["response"].get("userHandle")
        _demand(handle is None or unb64(handle) == user_id)
        client = _client_data(challenge, client_data)
        auth = AuthenticatorData(signed)
        _server(rp).authenticate_complete(
            _state(challenge),
            [credential],
            AuthenticationResponse(
                raw_id=credential_id,
                response=AuthenticatorAssertionResponse(
                    client_data=client, authenticator_data=auth, signature=signature
                ),
            ),
        )
        _check_flags(auth)
        _demand(not auth.is_attested())
        _demand(auth.is_backup_eligible() == synced)  # §7.2 step 19: it is settled when a passkey is made
        _demand(not (rp.device_bound and synced))
        _demand(auth.counter > sign_count or auth.counter == sign_count == 0)
    return auth.counter


@contextmanager
def _one_refusal() -> Iterator[None]:
    try:
        yield
    except Exception:  # noqa: BLE001 (the parsers raise whatever garbage makes them trip over, RecursionError too)
        raise Denied(NOT_ACCEPTED) from None


def _demand(right: bool) -> None:
    if not right:
        raise Denied(NOT_ACCEPTED)


def _server(rp: RelyingParty) -> Fido2Server:
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=rp.host, name=rp.name), verify_origin=lambda said: said == rp.origin
    )


def _state(challenge: bytes) -> dict[str, Any]:
    """What fido2 would keep in a session between the two halves. Here the caller keeps the challenge."""
    _demand(len(challenge) == CHALLENGE_BYTES)
    return {"challenge": b64(challenge), "user_verification": UserVerificationRequirement.REQUIRED}


def _read(answer: Mapping[str, Any], *names: str) -> list[bytes]:
    """The credential id and the named parts of the response; fido2 would take base64 in many spellings."""
    response = answer["response"]
    texts = [answer["id"], *(response[name] for name in names)]
    _demand(all(isinstance(text, str) for text in texts) and sum(map(len, texts)) <= LARGEST_ANSWER)
    _demand(answer["rawId"] == answer["id"] and answer["type"] == "public-key")
    parts = [unb64(text) for text in texts]
    _demand(1 <= len(parts[0]) <= LARGEST_CREDENTIAL_ID)
    return parts


def _client_data(challenge: bytes, raw: bytes) -> CollectedClientData:
    """What the browser says it signed for (WebAuthn L3 §5.8.1), with one reading, and not inside somebody's frame.

    fido2 sees to its type, its origin and the challenge, which it would take in many spellings, too.
    """
    said = json.loads(raw.decode(), object_pairs_hook=_without_doubles)
    _demand(said["challenge"] == b64(challenge))
    _demand(said.get("crossOrigin", False) is False and "topOrigin" not in said)
    return CollectedClientData(raw)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    _demand(len(said) == len(pairs))
    return said


def _check_flags(auth: AuthenticatorData) -> None:
    """That nothing is left over in it, and that no backup exists of what cannot have one (WebAuthn L3 §6.1.3).

    fido2 has seen to the hash of the host, the presence and the verification of the user.
    """
    credential = auth.credential_data
    known = 37 + (0 if credential is None else len(credential))
    _demand(_each_thing_once(auth[known:]) if auth.has_extension_data() else known == len(auth))
    _demand(auth.is_backup_eligible() or not auth.is_backed_up())


def _each_thing_once(raw: bytes) -> bool:
    """Whether that is one CBOR map without doubled keys, cut strings and loose ends, which fido2's decoder forgives.

    A cut string takes up the byte that is added here. Beyond that only lengths are compared: authenticators differ in
    the order of keys, and that says nothing twice.
    """
    decoded, rest = cbor.decode_from(raw + b"\0")
    return isinstance(decoded, dict) and rest == b"\0" and len(cbor.encode(decoded)) == len(raw)


def _check_key(key: CoseKey) -> None:
    """That the key is of an algorithm that was asked for, with exactly its members (RFC 9053 §7, RFC 8230 §4).

    fido2 looks at neither before the first signature, and would verify with SHA-1 then.
    """
    number = key.get(3)
    if number == _ES256:
        x, y = _members(key, {1: 2, 3: _ES256, -1: 1}, -2, -3)
        _demand(len(x) == len(y) == 32)  # noqa: PLR2004 (bytes of a coordinate)
        ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()).public_key()
    elif number == _EDDSA:
        (x,) = _members(key, {1: 1, 3: _EDDSA, -1: 6}, -2)
        ed25519.Ed25519PublicKey.from_public_bytes(x)
    else:
        modulus, exponent = _members(key, {1: 3, 3: _RS256}, -1, -2)
        n, e = int.from_bytes(modulus), int.from_bytes(exponent)
        _demand(2048 <= n.bit_length() <= 4096 and n % 2 == 1 and e == 65537)  # noqa: PLR2004 (bits, and the usual exponent)
        rsa.RSAPublicNumbers(e, n).public_key()


def _members(key: CoseKey, fixed: dict[int, int], *free: int) -> list[bytes]:
    _demand(set(key) == {*fixed, *free} and all(key[label] == value for label, value in fixed.items()))
    _demand(all(isinstance(key[label], bytes) for label in free))
    return [key[label] for label in free]


def _stored(data: bytes) -> tuple[bool, AttestedCredentialData]:
    try:
        _demand(data[:1] in {_STAYS, _SYNCED})
        return data[:1] == _SYNCED, AttestedCredentialData(data[1:])
    except Exception as error:
        raise Tampered("a stored passkey is not what was stored") from error
