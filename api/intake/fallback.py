"""For browsers that cannot seal: the intake holds what was typed for a moment, seals it and forgets it."""

from collections.abc import Mapping
from pathlib import Path

from vault.crypto.encoding import b64
from vault.crypto.envelope import Context
from vault.crypto.sealing import seal
from vault.crypto.statement import KeyStatement, check_statement
from vault.crypto.suites import XWING
from vault.errors import Tampered, Unavailable
from vault.model.cards import NO_CARDS, holds_card_number
from vault.model.kinds import Kind, pack_fields
from vault.model.messages import Form, FormItem
from vault.sentences import Sentence

KEY_BYTES = 32
_CANNOT_CHECK = Sentence("this form cannot check the vault's keys now")


def verifying_key(place: Path) -> bytes:
    """Read the 32-byte key of key statements, in hexadecimal, from the intake's own configuration.

    Raises Unavailable while there is none: without it no statement can be believed.
    """
    try:
        key = bytes.fromhex(place.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise Unavailable(_CANNOT_CHECK) from error
    if len(key) != KEY_BYTES:
        raise Unavailable(_CANNOT_CHECK)
    return key


def believed(place: Path, form: Form) -> KeyStatement:
    """Check the form's key statement. Raises Tampered when it is not signed, or speaks of another service."""
    statement = check_statement(verifying_key(place), form.statement, form.statement_signature)
    if (statement.deployment, statement.service) != (form.deployment, form.service):
        raise Tampered(Sentence("the service's public keys are not signed by this vault"))
    return statement


def faults_of(kind: type[Kind], fields: Mapping[str, str]) -> dict[str, str]:
    """Name every field that is wrong, with its sentence. Empty means that it can be sealed."""
    faults = kind.faults(fields)
    if not faults and holds_card_number(fields):
        secret = next((field.name for field in kind.fields if field.secret and fields.get(field.name)), "")
        faults[secret or kind.fields[0].name] = NO_CARDS
    return faults


def sealed(place: Path, form: Form, item: FormItem, kind: type[Kind], fields: Mapping[str, str]) -> str:
    """Seal checked fields of that kind for the item's row; gives the envelope in URL-safe base64.

    Raises Tampered when the keys are not believed, and Invalid for fields that the kind does not have.
    """
    statement = believed(place, form)
    kind.check(fields)
    context = Context(form.deployment, form.service, statement.key, item.secret, item.version, kind.name)
    return b64(seal(pack_fields(fields), XWING, statement.public_key(XWING.name), context))


def carried_key(place: Path) -> str:
    """Spell the verifying key as the page carries it for the browser's own check."""
    return b64(verifying_key(place))
