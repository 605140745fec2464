"""The key of ours that a customer may add on a server instead of telling us a password.

The pair is made when the request is made. Its private half is sealed at once to the service's public key, like anything
that a customer gives, so that this works in a sealed vault too and nothing here could open it again.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from vault.crypto.envelope import Context
from vault.crypto.sealing import seal
from vault.crypto.statement import KeyStatement, check_statement
from vault.crypto.suites import XWING
from vault.errors import Tampered, Unavailable
from vault.model.keylines import line_of
from vault.model.kind import KINDS, pack_fields
from vault.model.tables import Secret, Service
from vault.storage.unit import Unit, made_of
from vault.values import to_datetime


def offered(unit: Unit, service: Service, secret: Secret, version: int) -> dict[str, Any]:
    """The columns of a fresh offer for that version of a secret; empty ones where its kind has none.

    Raises Tampered when the service's public keys are not signed by this vault, and Unavailable when a sealed vault
    finds no key to check that with.
    """
    kind = KINDS[secret.asked_kind].instead
    if not kind:
        return {"offer": b"", "offer_line": ""}
    statement = believed(unit, service)
    private = Ed25519PrivateKey.generate()
    context = Context(unit.deployment, service.id, statement.key, secret.id, version, made_of(kind))
    packed = pack_fields({"private_key": _in_openssh(private)})
    return {
        "offer": seal(packed, XWING, statement.public_key(XWING.name), context),
        "offer_line": _line(private, service),
    }


def mark_of(service_id: str) -> str:
    """How every line of a service ends, so that its owner finds them again."""
    return f"valetkey-{service_id}"


def _line(private: Ed25519PrivateKey, service: Service) -> str:
    """One line for authorized_keys, which works no longer than the service lasts."""
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
    return line_of(public, to_datetime(service.ends_at), mark_of(service.id))


def _in_openssh(private: Ed25519PrivateKey) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode("ascii")


def believed(unit: Unit, service: Service) -> KeyStatement:
    """The service's public keys, once their signature holds: a sealed vault cannot tell a forged row by its tag."""
    if not unit.is_sealed:
        verifying = unit.keys.statement_public()
    else:
        try:
            verifying = bytes.fromhex(unit.settings.statement_key_place.read_text("ascii").strip())
        except (OSError, ValueError) as error:
            raise Unavailable("the vault cannot check its own keys now") from error
    statement = check_statement(verifying, service.statement, service.statement_signature)
    if (statement.deployment, statement.service, statement.key) != (
        unit.deployment,
        service.id,
        service.key_id,
    ):
        raise Tampered("the service's public keys are not its own")
    return statement
