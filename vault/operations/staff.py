"""The staff: who they are, what they have agreed to, and that they can leave."""

import secrets
from dataclasses import dataclass, field

from sqlalchemy import select

from vault.crypto.factors import new_totp_seed, provisioning_uri
from vault.crypto.passwords import parse_password
from vault.errors import Conflict, Denied, Invalid, NotFound
from vault.model.tables import Agreement, Lease, Person
from vault.model.views import AgreementView, PersonView
from vault.operations import sessions, showing
from vault.operations.asking import acting_as, agreement_in_force, person_of
from vault.operations.leases import end_lease
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, MailAddress, Role, Title, known_id, new_id

ROLES: tuple[Role, ...] = ("technician", "coordinator", "auditor", "administrator")


@dataclass(frozen=True)
class Enrolled:
    """A new member of the staff and the key URI of their one-time codes, shown this once."""

    person: PersonView
    uri: str = field(repr=False)


async def new_subject(vault: Vault, subject_id: str) -> int:
    """Make the disclosure key of a person or customer, durable in the keyring before anything names them.

    Returns the keyring generation that has it.
    """
    wrapped = vault.keys.wrap_subject(subject_id, secrets.token_bytes(32))
    return await vault.aside(vault.keyring.put_subject, subject_id, wrapped)


async def add(vault: Vault, actor: Actor, name: str, mail: str, role: str, password: str) -> Enrolled:
    """Add one of the staff on the vault's host; the record shows that the host did it.

    Raises Denied for anybody but the host's operator, Invalid, Conflict when the mail address is taken, Sealed.
    """
    if actor.kind != "host":
        raise Denied("staff are added on the vault's host")
    parsed = Title.parse(name, "a name", "/name")
    address = MailAddress.parse(mail)
    if role not in ROLES:
        raise Invalid(f"a role is one of {', '.join(ROLES)}", "/role")
    seed = new_totp_seed()
    hashed = await vault.hashing.hash(parse_password(password))
    person_id = new_id("per")
    person = Person(
        id=person_id,
        mail=address.text,
        name=parsed.text,
        role=role,
        password_hash=hashed,
        factor=vault.keys.factors.wrap(seed, "totp", person_id),
    )
    generation = await new_subject(vault, person_id)
    view = await vault.perform(_added, actor, person, generation)
    return Enrolled(view, provisioning_uri(seed, address.text, vault.settings.business))


@operation("staff.add")
def _added(unit: Unit, _actor: Actor, person: Person, generation: int) -> PersonView:
    unit.about(person=person.id)
    unit.say(role=person.role)
    unit.disclose(person.id, name=person.name, mail=person.mail)
    if unit.find(Person, mail=person.mail) is not None:
        raise Conflict("somebody with this mail address is there already")
    person.created_at = unit.now
    unit.keyring_is_at(generation)
    unit.insert(person)
    return showing.person(person, agreement_in_force(unit))


@operation("staff.disable", in_any_time=True)
def disable(unit: Unit, actor: Actor, person_id: str) -> None:
    """Disable a person at once: sessions and leases end with the same commit.

    For administrators and the host's operator. Raises NotSignedIn, Denied, NotFound.
    """
    unit.about(person=person_id)
    if actor.kind != "host":
        acting_as(unit, actor, "administrator")
    person = unit.find(Person, id=known_id("per", person_id))
    if person is None:
        raise NotFound("there is no such thing")
    unit.change(person, state="disabled")
    sessions.end_all(unit, person.id)
    for lease in unit.find_all(Lease, person_id=person.id, state="active"):
        end_lease(unit, lease, "disabled")


@operation("agreement.accept")
def agree(unit: Unit, actor: Actor, version: int) -> None:
    """Accept the confidentiality agreement in force. Raises Conflict when another version is in force by now."""
    person = person_of(unit, actor)
    unit.about(person=person.id)
    if version != agreement_in_force(unit) or version < 1:
        raise Conflict("another version of the agreement is in force; read that one")
    unit.say(version=str(version))
    unit.change(person, agreed_version=version)


def agreement(reading: Reading, actor: Actor) -> AgreementView:
    """The agreement in force. Raises NotSignedIn, and NotFound before one was published."""
    person_of(reading, actor)
    found = reading.find(Agreement, id=agreement_in_force(reading))
    if found is None:
        raise NotFound("no confidentiality agreement was published yet")
    return AgreementView(version=found.id, text=found.text)


def people(reading: Reading, actor: Actor) -> list[PersonView]:
    """The staff, for coordinators (who assign them) and administrators. Raises NotSignedIn or Denied."""
    acting_as(reading, actor, "coordinator", "administrator")
    in_force = agreement_in_force(reading)
    table = Person.table()
    return [
        showing.person(row, in_force)
        for row in reading.connection.execute(select(table).order_by(table.c.name))
    ]
