"""Two people for a change of somebody's account: one administrator asks, another one vouches, or nothing happens."""

from collections.abc import Sequence

from vault.errors import Conflict, Denied
from vault.model.people import Person, StaffChange
from vault.model.views import ChangeView, InvitationView
from vault.operations import showing
from vault.operations.asking import may, roles_of
from vault.operations.people import altering, changes
from vault.operations.presence import NOTHING, Deed, Presence, prove, proved, spend
from vault.operations.vault import Vault
from vault.policy import vouching as policy
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, MailAddress, Title, new_id

# -- who is there to vouch ---------------------------------------------------------------------------------------------


def is_alone(reading: Reading) -> bool:
    """Whether no administrator could vouch now for what another asks: then the host makes changes, not the page."""
    administrators, accounts = changes.accounts_of(reading)
    return policy.is_alone(administrators, accounts, reading.now)


def require_alone(reading: Reading) -> None:
    """The host changes accounts only while nobody else can. Raises Denied."""
    if not is_alone(reading):
        raise Denied(
            "two administrators can vouch for each other now, so one of them asks for this on the page “People”; "
            "what the host can still do is to disable an account"
        )


def require_another_administrator(reading: Reading, person_id: str) -> None:
    """Without this person there is still an active administrator. Raises Conflict."""
    administrators = reading.find_all(Person, state="active", roles="administrator")
    if {one.id for one in administrators} == {person_id}:
        raise Conflict("this is the last active administrator; only the host's operator can do that")


# -- asking ------------------------------------------------------------------------------------------------------------


async def invite(
    vault: Vault, actor: Actor, name: str, mail: str, roles: Sequence[str], given: Presence = NOTHING
) -> ChangeView:
    """Ask that somebody may join. They are invited, with a code of their own, once another administrator vouches.

    Raises NotSignedIn, Denied where nobody could vouch, Invalid, Conflict, ProofNeeded, TooMany, Sealed.
    """
    person = Person(
        id=new_id("per"),
        mail=MailAddress.parse(mail).text,
        name=Title.parse(name, "a name", "/name").text,
        made_by=actor.id,
    )
    wanted = changes.Wanted("join", person.id, altering.parse_roles(roles), person.mail)
    await vault.read(_may_invite, actor, person.mail)
    parts = ("staff.ask", "join", person.name, person.mail, wanted.roles)
    deed = Deed(f"ask that {wanted.words(changes.named(person))}", parts)
    proof = await prove(vault, actor, deed, given)
    generation = await altering.new_subject(vault, person.id)
    view: ChangeView = await vault.perform(_invited, actor, person, wanted, generation, deed, proof)
    return view


def _may_invite(reading: Reading, actor: Actor, mail: str) -> Person:
    asker = may(reading, actor, "staff.ask")
    changes.require_second(reading, asker, "")
    altering.require_free(reading, mail)
    return asker


@operation("staff.ask")
def _invited(
    unit: Unit, actor: Actor, person: Person, wanted: changes.Wanted, generation: int, deed: Deed, proof: str
) -> ChangeView:
    unit.about(person=person.id)
    unit.disclose(person.id, name=person.name, mail=person.mail)
    asker = _may_invite(unit, actor, person.mail)
    spend(unit, actor, proof, deed)
    person.created_at = unit.now
    unit.keyring_is_at(generation)
    unit.insert(person)
    return changes.wait(unit, asker, person, wanted)


async def ask_roles(
    vault: Vault, actor: Actor, person_id: str, roles: Sequence[str], given: Presence = NOTHING
) -> ChangeView:
    """Ask that somebody has these roles instead of theirs.

    Raises NotSignedIn, Denied where nobody could vouch, NotFound, Invalid, Conflict, ProofNeeded, TooMany.
    """
    return await _ask(
        vault, actor, changes.Wanted("roles", person_id, roles=altering.parse_roles(roles)), given
    )


async def ask_reset(vault: Vault, actor: Actor, person_id: str, given: Presence = NOTHING) -> ChangeView:
    """Ask that somebody who has lost password or factors enrols anew, or comes back after they were disabled.

    Raises NotSignedIn, Denied where nobody could vouch, NotFound, Conflict, ProofNeeded, TooMany.
    """
    return await _ask(vault, actor, changes.Wanted("reset", person_id), given)


async def ask_mail(
    vault: Vault, actor: Actor, person_id: str, mail: str, given: Presence = NOTHING
) -> ChangeView:
    """Ask that somebody has another mail address.

    Raises NotSignedIn, Denied where nobody could vouch, NotFound, Invalid, Conflict, ProofNeeded, TooMany.
    """
    return await _ask(
        vault, actor, changes.Wanted("mail", person_id, mail=MailAddress.parse(mail).text), given
    )


async def _ask(vault: Vault, actor: Actor, wanted: changes.Wanted, given: Presence) -> ChangeView:
    proof = await proved(vault, given, _deed_of_asking, actor, wanted)
    return await vault.perform(_asked, actor, wanted, proof)


def _deed_of_asking(reading: Reading, actor: Actor, wanted: changes.Wanted) -> Deed:
    _, person = _may_ask(reading, actor, wanted)
    return _asking(person, wanted)


def _asking(person: Person, wanted: changes.Wanted) -> Deed:
    parts = ("staff.ask", wanted.kind, person.id, *changes.shown(person), wanted.roles, wanted.mail)
    return Deed(f"ask that {wanted.words(changes.named(person))}", parts)


def _may_ask(reading: Reading, actor: Actor, wanted: changes.Wanted) -> tuple[Person, Person]:
    """Who asks, and whose account it is, where that can be asked for now."""
    asker = may(reading, actor, "staff.ask")
    person = changes.somebody(reading, wanted.person_id)
    changes.require_second(reading, asker, person.id)
    _require_sensible(reading, person, wanted)
    waiting = reading.find_all(StaffChange, person_id=person.id, kind=wanted.kind, state="waiting")
    if any(reading.now < one.expires_at for one in waiting):
        raise Conflict("such a change of this account waits already; withdraw or decide that one first")
    return asker, person


def _require_sensible(reading: Reading, person: Person, wanted: changes.Wanted) -> None:
    if wanted.kind == "reset":
        altering.require_joined(reading, person)
        return
    altering.require_changeable(reading, person)
    if wanted.kind == "roles":
        altering.require_other_roles(person, wanted.roles)
    else:
        altering.require_free(reading, wanted.mail)


@operation("staff.ask")
def _asked(unit: Unit, actor: Actor, wanted: changes.Wanted, proof: str) -> ChangeView:
    unit.about(person=wanted.person_id)
    asker, person = _may_ask(unit, actor, wanted)
    spend(unit, actor, proof, _asking(person, wanted))
    if wanted.mail:
        unit.disclose(person.id, mail=wanted.mail)
    return changes.wait(unit, asker, person, wanted)


# -- deciding ----------------------------------------------------------------------------------------------------------


async def vouch(
    vault: Vault, actor: Actor, change_id: str, given: Presence = NOTHING
) -> InvitationView | None:
    """Be the second person: what was asked for happens, all of it and nothing else, and the person is told by mail.

    An invitation that comes of it has its code in this answer, this once, only where no mail server sends it; who has
    asked never sees it. Raises NotSignedIn, Denied with the reason for the wrong second person, Resting, NotFound,
    Ended for a change that was decided or has run out, Conflict, ProofNeeded, TooMany.
    """
    proof = await proved(vault, given, _deed_of_vouching, actor, change_id)
    return await vault.perform(_vouched, actor, change_id, proof)


def _deed_of_vouching(reading: Reading, actor: Actor, change_id: str) -> Deed:
    """The deed of vouching, by everything that is shown of the change and the account: another one is another deed."""
    voucher = may(reading, actor, "staff.vouch")
    change, person = changes.waiting_change(reading, change_id)
    changes.require_voucher(reading, voucher, change)
    words = changes.Wanted(change.kind, person.id, change.roles, change.mail).words(changes.named(person))
    return Deed(
        f"vouch that {words}, as {showing.name_of(reading, change.asked_by) or 'somebody'} asks",
        (
            *("staff.vouch", change.id, change.kind, change.asked_by, person.id, *changes.shown(person)),
            *(change.roles, change.mail, change.former_mail, change.created_at, change.expires_at),
        ),
    )


@operation("staff.vouch")
def _vouched(unit: Unit, actor: Actor, change_id: str, proof: str) -> InvitationView | None:
    unit.about(change=change_id)
    deed = _deed_of_vouching(unit, actor, change_id)
    change, person = changes.waiting_change(unit, change_id)
    changes.name_in(unit, change)
    spend(unit, actor, proof, deed)
    unit.change(change, state="done", decided_by=actor.id)
    void_all(unit, person.id)
    by_mail = bool(unit.settings.smtp_host)
    match change.kind:
        case "join":
            return altering.join(unit, person, change.roles)
        case "roles":
            altering.put_roles(unit, person, change.roles)
        case "reset":
            return altering.reset(unit, person, by_mail=by_mail)
        case "mail":
            return altering.move(unit, person, change.mail, change.id, by_mail=by_mail)
    return None


@operation("staff.refuse", in_any_time=True)
def refuse(unit: Unit, actor: Actor, change_id: str) -> None:
    """Say no to what another administrator has asked for. Raises NotSignedIn, Denied, NotFound, Ended."""
    unit.about(change=change_id)
    person = may(unit, actor, "staff.refuse")
    change, _ = changes.waiting_change(unit, change_id)
    if change.asked_by == person.id:
        raise Denied("you have asked for it yourself: withdraw it instead")
    changes.name_in(unit, change)
    _drop(unit, change, "refused", person.id)


@operation("staff.withdraw", in_any_time=True)
def withdraw(unit: Unit, actor: Actor, change_id: str) -> None:
    """Take back what one has asked for. Raises NotSignedIn, Denied, NotFound, Ended."""
    unit.about(change=change_id)
    person = may(unit, actor, "staff.refuse")
    change, _ = changes.waiting_change(unit, change_id)
    if change.asked_by != person.id:
        raise Denied("somebody else has asked for it: refuse it instead")
    changes.name_in(unit, change)
    _drop(unit, change, "withdrawn", person.id)


@operation("staff.expire")
def expire(unit: Unit, _actor: Actor, change_id: str) -> None:
    """For the sweep: a change that has waited too long."""
    unit.about(change=change_id)
    change = unit.find(StaffChange, id=change_id)
    if change is not None and change.state == "waiting" and unit.now >= change.expires_at:
        changes.name_in(unit, change)
        _drop(unit, change, "expired", "core")


def void_all(unit: Unit, person_id: str) -> None:
    """Nothing waits any more that is about a person or was asked for by them, as part of another change."""
    voided = []
    for who in ({"person_id": person_id}, {"asked_by": person_id}):
        for change in unit.find_all(StaffChange, state="waiting", **who):
            _drop(unit, change, "withdrawn", unit.draft.actor.id)
            voided.append(change.id)
    if voided:
        unit.about(voided=" ".join(voided[:20]))  # the entry names the rows of all of them


def _drop(unit: Unit, change: StaffChange, state: str, decided_by: str) -> None:
    unit.change(change, state=state, decided_by=decided_by)
    person = unit.find(Person, id=change.person_id)
    if change.kind == "join" and person is not None:
        altering.never_joins(unit, person)


@operation("staff.drop-role", in_any_time=True)
def drop_role(unit: Unit, actor: Actor, person_id: str, role: str) -> None:
    """Take a role away at once: sessions and what hangs on the role end with the same commit. Mail tells the person.

    Raises NotSignedIn, Denied, NotFound, Invalid, and Conflict for a role that they do not have, for one's own last and
    for the last active administrator's.
    """
    unit.about(person=person_id)
    administrator = may(unit, actor, "staff.restrict")
    person = changes.somebody(unit, person_id)
    held = roles_of(person.roles)
    if role not in held:
        raise Conflict("this person does not have that role")
    unit.say(role=role)
    left = " ".join(sorted(held - {role}))
    if not left and person.id == administrator.id:
        raise Conflict("that is your only role; another administrator takes it away")
    if role == "administrator":
        require_another_administrator(unit, person.id)
    void_all(unit, person.id)
    altering.restrict(unit, person, left)


# -- showing -----------------------------------------------------------------------------------------------------------


def waiting(reading: Reading, actor: Actor) -> tuple[ChangeView, ...]:
    """What waits for a second person, the oldest first, and what whoever asks may do about each.

    Raises NotSignedIn or Denied.
    """
    asking = may(reading, actor, "staff.list")
    found = [one for one in reading.find_all(StaffChange, state="waiting") if reading.now < one.expires_at]
    return tuple(
        changes.view(reading, one, asking.id)
        for one in sorted(found, key=lambda one: (one.created_at, one.id))
    )
