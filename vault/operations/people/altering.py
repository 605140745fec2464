"""What a change of somebody's account does, whoever may order it: two administrators, or the host."""

import secrets
from collections.abc import Sequence

from vault.errors import Conflict, Invalid
from vault.model.people import Person, StaffChange
from vault.model.views import InvitationView
from vault.operations.asking import roles_of
from vault.operations.leases.leases import end_approved_by, end_leases
from vault.operations.people import account, enrolling, factors
from vault.operations.vault import Vault
from vault.policy.rights import EVERYBODY, go_together
from vault.storage.reading import Reading
from vault.storage.unit import Unit
from vault.values import DAY

ROLES: tuple[str, ...] = ("technician", "coordinator", "auditor", "administrator")
RESTS_FOR = DAY
NOWHERE = "@left.invalid"
"""The end of the address of who never joined; no mail goes to `.invalid` (RFC 2606, section 2)."""


def parse_roles(roles: Sequence[str], pointer: str = "/roles") -> str:
    """The roles as a person's row keeps them. Raises Invalid for unknown ones and those that do not go together."""
    if not roles or not set(roles) <= EVERYBODY:
        raise Invalid(f"the roles are {', '.join(ROLES)}", pointer)
    if not go_together(roles):
        raise Invalid(
            "these roles do not go together in one person: an administrator has no second role that delivers, and an "
            "auditor has no second role at all",
            pointer,
        )
    return " ".join(sorted(set(roles)))


async def new_subject(vault: Vault, subject_id: str) -> int:
    """Make the disclosure key of a person or customer, durable in the keyring before anything names them.

    Returns the keyring generation that has it.
    """
    wrapped = vault.keys.wrap_subject(subject_id, secrets.token_bytes(32))
    return await vault.aside(vault.keyring.put_subject, subject_id, wrapped)


def join(unit: Unit, person: Person, roles: str) -> InvitationView:
    """Let somebody in who was asked for: they have their roles, and an invitation is on its way.

    They count as added from now on, and not from when somebody asked: nobody makes a second person in advance.
    """
    if person.state != "invited" or person.roles:
        raise Conflict("this person has joined already, or was disabled meanwhile")
    unit.say(roles=roles)
    unit.change(person, roles=roles, created_at=unit.now, rests_until=unit.now + RESTS_FOR)
    return enrolling.send(unit, person, by_mail=bool(unit.settings.smtp_host))


def never_joins(unit: Unit, person: Person) -> None:
    """Nobody vouched: the row stays, for the ledger names it, and its mail address is free for another."""
    unit.change(person, state="disabled", mail=person.id + NOWHERE)


def put_roles(unit: Unit, person: Person, roles: str) -> None:
    """Give somebody these roles instead of theirs. What needs a role that goes ends now."""
    require_changeable(unit, person)
    unit.say(roles=roles)
    unit.change(person, rests_until=unit.now + RESTS_FOR)
    restrict(unit, person, roles)


def restrict(unit: Unit, person: Person, roles: str) -> None:
    """Put roles that need no cooling-off day: as part of `put_roles`, or because one was taken away."""
    unit.change(person, roles=roles)
    account.end_everything(unit, person.id)
    if "technician" not in roles_of(roles):
        end_leases(unit, "role taken away", person_id=person.id)
    if "coordinator" not in roles_of(roles):
        end_approved_by(unit, person.id)
    unit.notify("staff.roles", person.id)


def reset(unit: Unit, person: Person, *, by_mail: bool) -> InvitationView:
    """Forget somebody's password and factors and invite them anew; who was disabled comes back by it."""
    require_joined(unit, person)
    unit.change(person, state="invited", password_hash="", rests_until=unit.now + RESTS_FOR)
    factors.drop_all(unit, person)
    account.end_everything(unit, person.id)
    end_leases(unit, "account reset", person_id=person.id)
    end_approved_by(unit, person.id)
    unit.notify("staff.reset", person.id)
    return enrolling.send(unit, person, by_mail=by_mail)


def move(unit: Unit, person: Person, mail: str, change_id: str, *, by_mail: bool) -> InvitationView | None:
    """Give somebody another mail address; both are told. Who has not enrolled yet is invited anew, at the new one."""
    require_changeable(unit, person)
    require_free(unit, mail)
    unit.disclose(person.id, mail=mail)
    unit.change(person, mail=mail, rests_until=unit.now + RESTS_FOR)
    account.end_everything(unit, person.id)
    enrolling.void_all(unit, person.id)
    unit.notify("staff.mail", change_id)
    return enrolling.send(unit, person, by_mail=by_mail) if person.state == "invited" else None


# -- what stands in the way: asked before anybody proves anything, and again when it is done ---------------------------


def require_free(reading: Reading, mail: str) -> None:
    """Nobody has this address. Raises Conflict."""
    if reading.find(Person, mail=mail) is not None:
        raise Conflict(
            "somebody with this mail address is there already; who was disabled comes back by a reset of their account"
        )


def require_joined(reading: Reading, person: Person) -> None:
    """Somebody has vouched for this person, or the host has added them. Raises Conflict."""
    if person.mail.endswith(NOWHERE):
        raise Conflict("this person has never joined; invite them anew")
    if reading.find_all(StaffChange, person_id=person.id, kind="join", state="waiting"):
        raise Conflict("nobody has vouched for this person's joining yet")


def require_changeable(reading: Reading, person: Person) -> None:
    """This person has joined and is not disabled. Raises Conflict."""
    require_joined(reading, person)
    if person.state == "disabled":
        raise Conflict("this account is disabled; a reset brings it back")


def require_other_roles(person: Person, roles: str) -> None:
    """These roles give something that the person does not have. Raises Conflict."""
    if roles_of(roles) <= roles_of(person.roles):
        raise Conflict(
            "this person has these roles already; to take one away needs no second person: drop it"
        )
