"""The staff: who they are, what they have agreed to, and that they can leave."""

from collections.abc import Sequence

from sqlalchemy import select

from vault.errors import Conflict, Denied, NotFound
from vault.model.people import Person
from vault.model.tables import Agreement
from vault.model.views import AgreementView, InvitationView, PersonView, StaffView
from vault.operations import showing
from vault.operations.asking import agreement_in_force, may
from vault.operations.leases.leases import end_approved_by, end_leases
from vault.operations.people import account, altering, enrolling, vouching
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, MailAddress, Title, known_id, new_id, to_datetime


async def add(
    vault: Vault, actor: Actor, name: str, mail: str, roles: Sequence[str], deliver: str = ""
) -> InvitationView:
    """Add one of the staff on the vault's host, while no two administrators can vouch for each other yet.

    The record shows that the host did it. The invitation goes out by mail where a mail server is configured, unless
    `deliver` is "hand": then its code is in the answer, this once. Raises Denied for anybody but the host's operator
    and once two can vouch, Invalid, Conflict when the mail address is taken, Sealed.
    """
    if actor.kind != "host":
        raise Denied("staff are added on the vault's host")
    person = Person(
        id=new_id("per"),
        mail=MailAddress.parse(mail).text,
        name=Title.parse(name, "a name", "/name").text,
        roles=altering.parse_roles(roles),
        made_by="host",
    )
    by_mail = bool(vault.settings.smtp_host) and deliver != "hand"
    generation = await altering.new_subject(vault, person.id)
    view: InvitationView = await vault.perform(_added, actor, person, generation, by_mail)
    return view


@operation("staff.add")
def _added(unit: Unit, _actor: Actor, person: Person, generation: int, by_mail: bool) -> InvitationView:
    unit.about(person=person.id)
    unit.say(roles=person.roles)
    unit.disclose(person.id, name=person.name, mail=person.mail)
    vouching.require_alone(unit)
    if unit.find(Person, mail=person.mail) is not None:
        raise Conflict("somebody with this mail address is there already")
    person.created_at = unit.now
    unit.keyring_is_at(generation)
    unit.insert(person)
    return enrolling.send(unit, person, by_mail=by_mail)


@operation("staff.disable", in_any_time=True)
def disable(unit: Unit, actor: Actor, person_id: str) -> None:
    """Disable a person at once: sessions, tokens, leases and what they have asked for end with the same commit.

    So do others' leases to which they said yes.

    For administrators and the host's operator. Raises NotSignedIn, Denied, NotFound, and Conflict for the last active
    administrator, whom only the host can disable.
    """
    unit.about(person=person_id)
    if actor.kind != "host":
        may(unit, actor, "staff.restrict")
    person = unit.find(Person, id=known_id("per", person_id))
    if person is None:
        raise NotFound("there is no such thing")
    if actor.kind != "host":
        vouching.require_another_administrator(unit, person.id)
    unit.change(person, state="disabled")
    account.end_everything(unit, person.id)
    enrolling.void_all(unit, person.id)
    vouching.void_all(unit, person.id)
    end_leases(unit, "disabled", person_id=person.id)
    end_approved_by(unit, person.id)
    unit.notify("staff.disabled", person.id)


@operation("agreement.accept")
def agree(unit: Unit, actor: Actor, version: int) -> None:
    """Accept the confidentiality agreement in force. Raises Conflict when another version is in force by now."""
    person = may(unit, actor, "agreement.accept")
    unit.about(person=person.id)
    if version != agreement_in_force(unit) or version < 1:
        raise Conflict("another version of the agreement is in force; read that one")
    unit.say(version=str(version))
    unit.change(person, agreed_version=version)


def agreement(reading: Reading, actor: Actor) -> AgreementView:
    """The agreement in force. Raises NotSignedIn, and NotFound before one was published."""
    may(reading, actor, "agreement.read")
    found = reading.find(Agreement, id=agreement_in_force(reading))
    if found is None:
        raise NotFound("no confidentiality agreement was published yet")
    return AgreementView(version=found.id, text=found.text, published_at=to_datetime(found.published_at))


def people(reading: Reading, actor: Actor) -> list[PersonView]:
    """The technicians whom a coordinator can put on a ticket, by name. Raises NotSignedIn or Denied."""
    may(reading, actor, "staff.assignable")
    return [
        person
        for person in everybody(reading)
        if person.state == "active" and "technician" in person.roles and person.id != actor.id
    ]


def staff(reading: Reading, actor: Actor) -> StaffView:
    """The staff and what waits for a second person, for administrators. Raises NotSignedIn or Denied."""
    may(reading, actor, "staff.list")
    return StaffView(
        people=tuple(everybody(reading)),
        waiting=vouching.waiting(reading, actor),
        alone=vouching.is_alone(reading),
    )


def everybody(reading: Reading) -> list[PersonView]:
    """All of the staff by name, those who have left too; for operations that have judged who asks."""
    in_force = agreement_in_force(reading)
    table = Person.table()
    query = select(table).order_by(table.c.name, table.c.id)
    return [showing.person(row, in_force) for row in reading.connection.execute(query)]
