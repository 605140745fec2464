"""What the host's operator does with accounts while no two administrators can vouch for each other."""

from collections.abc import Sequence

from vault.errors import Conflict, Denied, NotFound
from vault.model.people import Person, StaffChange
from vault.model.views import InvitationView, PersonView
from vault.operations import showing
from vault.operations.asking import agreement_in_force
from vault.operations.people import altering, vouching
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, MailAddress, new_id


async def put_roles(vault: Vault, actor: Actor, mail: str, roles: Sequence[str]) -> PersonView:
    """Give the person with this address these roles instead of theirs. They rest for a day and are told by mail.

    Raises Denied for anybody but the host's operator and once two administrators can vouch, NotFound, Invalid,
    Conflict.
    """
    view: PersonView = await vault.perform(_put_roles, actor, mail, altering.parse_roles(roles))
    return view


@operation("staff.roles")
def _put_roles(unit: Unit, actor: Actor, mail: str, roles: str) -> PersonView:
    person = _for_host(unit, actor, mail)
    if roles == person.roles:
        raise Conflict("this person has these roles already")
    altering.put_roles(unit, person, roles)
    return showing.person(person, agreement_in_force(unit))


async def reset(vault: Vault, actor: Actor, mail: str, deliver: str = "") -> InvitationView:
    """Have the person with this address enrol anew, also after they were disabled. As `put_roles`.

    The invitation goes by mail where there is a mail server, unless `deliver` is "hand": then its code is in the
    answer.
    """
    by_mail = bool(vault.settings.smtp_host) and deliver != "hand"
    view: InvitationView = await vault.perform(_reset, actor, mail, by_mail)
    return view


@operation("staff.reset")
def _reset(unit: Unit, actor: Actor, mail: str, by_mail: bool) -> InvitationView:
    return altering.reset(unit, _for_host(unit, actor, mail), by_mail=by_mail)


async def move(vault: Vault, actor: Actor, mail: str, new: str) -> InvitationView | None:
    """Give the person with this address another one; both are told. As `put_roles`.

    Who has not enrolled yet is invited anew, at the new address.
    """
    wanted = MailAddress.parse(new, "/new").text
    view: InvitationView | None = await vault.perform(_moved, actor, mail, wanted)
    return view


@operation("staff.mail")
def _moved(unit: Unit, actor: Actor, mail: str, new: str) -> InvitationView | None:
    person = _for_host(unit, actor, mail)
    change = StaffChange(
        id=new_id("chg"),
        kind="mail",
        person_id=person.id,
        asked_by="host",
        mail=new,
        former_mail=person.mail,
        state="done",
        decided_by="host",
        created_at=unit.now,
        expires_at=unit.now,
    )
    unit.about(change=change.id)
    unit.insert(change)
    return altering.move(unit, person, new, change.id, by_mail=bool(unit.settings.smtp_host))


def person_with(reading: Reading, actor: Actor, mail: str) -> PersonView:
    """The person with this address, for the host's operator. Raises Denied, NotFound."""
    return showing.person(_with_mail(reading, actor, mail), agreement_in_force(reading))


def _for_host(unit: Unit, actor: Actor, mail: str) -> Person:
    person = _with_mail(unit, actor, mail)
    unit.about(person=person.id)
    vouching.require_alone(unit)
    altering.require_joined(unit, person)
    vouching.void_all(unit, person.id)
    return person


def _with_mail(reading: Reading, actor: Actor, mail: str) -> Person:
    if actor.kind != "host":
        raise Denied("only the operator of the vault's host may do this")
    person = reading.find(Person, mail=MailAddress.parse(mail).text)
    if person is None:
        raise NotFound("nobody on the staff has this mail address")
    return person
