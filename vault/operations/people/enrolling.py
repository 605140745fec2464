"""Joining: an invitation opens the enrolment once, for one browser, which chooses a password and a second factor."""

from collections.abc import Mapping
from typing import Any

from vault.crypto.passwords import parse_password
from vault.crypto.tokens import invitation_code_hash, new_intake_code, new_token, parse_token, token_hash
from vault.errors import Conflict, Denied, NotFound, NotSignedIn
from vault.model.people import Invitation, Person
from vault.model.views import EnrolmentView, InvitationView
from vault.operations import attempts, showing
from vault.operations.asking import agreement_in_force
from vault.operations.people import factors
from vault.operations.people.judging import judge
from vault.operations.vault import Vault
from vault.policy.attempts import neighbourhood
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import DAY, HOUR, Actor, Moment, new_id, to_datetime

INVITED_FOR = 7 * DAY
BEGUN_FOR = 2 * HOUR
_OVER = "this invitation was used, has run out, or was never there"
_BEGIN_AGAIN = "this enrolment is over; ask for a new invitation"


def invite(unit: Unit, person: Person) -> Invitation:
    """Leave an invitation for somebody who is to enrol; those before it are void. Its code is made as it goes out."""
    void_all(unit, person.id)
    invitation = Invitation(
        id=new_id("inv"), person_id=person.id, created_at=unit.now, expires_at=unit.now + INVITED_FOR
    )
    unit.insert(invitation)
    unit.about(invitation=invitation.id)
    return invitation


def send(unit: Unit, person: Person, *, by_mail: bool) -> InvitationView:
    """Invite somebody, by mail or with the code in the answer for whoever hands it over."""
    invitation = invite(unit, person)
    code = None
    if by_mail:
        unit.notify("staff.invited", invitation.id)
    else:
        code = mint(unit, invitation)
    return InvitationView(
        person=showing.person(person, agreement_in_force(unit)),
        deliver="mail" if by_mail else "hand",
        expires_at=to_datetime(invitation.expires_at),
        code=code,
        link=f"{unit.settings.origin}/enrol#{code}" if code else None,
    )


def mint(unit: Unit, invitation: Invitation) -> str:
    """A fresh code for an invitation, shown or mailed this once; one that went out before is void."""
    code = new_intake_code()
    unit.change(invitation, code_hash=invitation_code_hash(code))
    return code


def void_all(unit: Unit, person_id: str) -> None:
    """Take back every invitation of a person that was not used."""
    for state in ("open", "begun"):
        for invitation in unit.find_all(Invitation, person_id=person_id, state=state):
            unit.change(invitation, state="void", code_hash=None, browser_hash=None, password_hash="")


@operation("invitation.mint")
def mint_for_mail(unit: Unit, _actor: Actor, invitation_id: str) -> tuple[str, str, str, Moment]:
    """At delivery: the code, the person's name and address, and until when. Raises Conflict when it is over by now."""
    unit.about(invitation=invitation_id)
    invitation = unit.find(Invitation, id=invitation_id)
    person = unit.find(Person, id=invitation.person_id) if invitation else None
    if (
        invitation is None
        or person is None
        or invitation.state != "open"
        or unit.now >= invitation.expires_at
    ):
        raise Conflict("this invitation is over")
    unit.about(person=person.id)
    return mint(unit, invitation), person.name, person.mail, Moment(invitation.expires_at)


# -- the enrolment ----------------------------------------------------------------------------------------------------


async def begin(vault: Vault, actor: Actor, code: str) -> tuple[str, EnrolmentView]:
    """Open the enrolment with an invitation's code, once; returns what this browser is known by from then on.

    Raises NotFound for what is no code, used, late or void: they look alike. Raises TooMany, Sealed.
    """
    vault.keys  # noqa: B018 (raises Sealed: without keys no factor can be kept)
    await attempts.count(vault, actor, f"enrol:{neighbourhood(actor.source)}")
    try:
        hashed = invitation_code_hash(code)
    except NotFound:
        raise NotFound(_OVER) from None
    token = new_token("vk_enr")
    view: EnrolmentView = await vault.perform(_begun, actor, hashed, token_hash(token))
    return token, view


@operation("enrolment.begin")
def _begun(unit: Unit, actor: Actor, code: bytes, browser: bytes) -> EnrolmentView:
    invitation = unit.find(Invitation, code_hash=code)
    if invitation is None or invitation.state != "open" or unit.now >= invitation.expires_at:
        raise NotFound(_OVER)
    person = _invited(unit, invitation)
    unit.about(person=person.id, invitation=invitation.id)
    unit.disclose(person.id, source=actor.source)
    ends = min(invitation.expires_at, unit.now + BEGUN_FOR)
    unit.change(invitation, state="begun", code_hash=None, browser_hash=browser, expires_at=ends)
    return _view(unit, invitation, person)


async def look(vault: Vault, actor: Actor, token: str) -> EnrolmentView:
    """How far this browser's enrolment has come. Raises NotSignedIn when it is over or was never begun."""
    return await vault.read(_looked, actor, _parsed(token))


def _looked(reading: Reading, _actor: Actor, browser: bytes) -> EnrolmentView:
    invitation, person = _of_browser(reading, browser)
    return _view(reading, invitation, person)


async def choose_password(vault: Vault, actor: Actor, token: str, password: str) -> EnrolmentView:
    """Choose a password; it counts as soon as a second factor is confirmed, and may be chosen anew until then.

    Raises Invalid with the reason for a weak one, NotSignedIn, TooMany, Sealed.
    """
    browser = _parsed(token)
    await attempts.count(vault, actor, f"code:{browser.hex()[:32]}")
    invited = await vault.read(_looked, actor, browser)
    chosen = parse_password(password)
    await judge(vault, chosen, invited.name, invited.mail)
    hashed = await vault.hashing.hash(chosen)
    view: EnrolmentView = await vault.perform(_chosen, actor, browser, hashed)
    return view


@operation("enrolment.password")
def _chosen(unit: Unit, _actor: Actor, browser: bytes, hashed: str) -> EnrolmentView:
    invitation, person = _of_browser(unit, browser)
    unit.about(person=person.id, invitation=invitation.id)
    unit.change(invitation, password_hash=hashed)
    return _view(unit, invitation, person)


async def offer_totp(vault: Vault, actor: Actor, token: str) -> factors.OfferedTotp:
    """Make an authenticator's seed for this browser; its key URI is shown this once. Raises NotSignedIn, Conflict."""
    offered: factors.OfferedTotp = await vault.perform(_offered, actor, _parsed(token))
    return offered


@operation("factor.offer")
def _offered(unit: Unit, _actor: Actor, browser: bytes) -> factors.OfferedTotp:
    invitation, person = _with_password(unit, browser)
    unit.about(person=person.id, invitation=invitation.id)
    return factors.offer_totp(unit, person, invitation.id)


async def confirm_totp(vault: Vault, actor: Actor, token: str, code: str) -> list[str]:
    """Finish with an authenticator: the code shows that the seed arrived. Returns the recovery codes, shown this once.

    Raises NotSignedIn, NotFound (nothing on offer), Denied (wrong code), TooMany.
    """
    browser = _parsed(token)
    await attempts.count(vault, actor, f"code:{browser.hex()[:32]}")
    codes, hashes = await factors.hashed_codes(vault)
    if not await vault.perform(_confirmed, actor, browser, code, hashes):
        raise Denied("that code is not the one that your authenticator shows now; wait for the next one")
    return codes


@operation("enrolment.done")
def _confirmed(unit: Unit, _actor: Actor, browser: bytes, code: str, hashes: list[str]) -> bool:
    invitation, person = _with_password(unit, browser)
    unit.about(person=person.id, invitation=invitation.id)
    unit.say(by="totp")
    if not factors.confirm_totp(unit, person, invitation.id, code):
        unit.draft.outcome = "Denied"
        return False
    _finish(unit, invitation, person, hashes)
    return True


async def ask_passkey(vault: Vault, actor: Actor, token: str) -> dict[str, Any]:
    """What this browser needs to make a passkey. Raises NotSignedIn, Conflict."""
    asked: dict[str, Any] = await vault.perform(_asked, actor, _parsed(token))
    return asked


@operation("enrolment.ask", recorded=False)
def _asked(unit: Unit, _actor: Actor, browser: bytes) -> dict[str, Any]:
    invitation, person = _with_password(unit, browser)
    return factors.ask_passkey(unit, person, invitation.id)


async def add_passkey(
    vault: Vault, actor: Actor, token: str, challenge: str, answer: Mapping[str, Any], name: str
) -> list[str]:
    """Finish with a passkey. Returns the recovery codes, shown this once. Raises NotSignedIn, NotFound, Denied."""
    browser = _parsed(token)
    await attempts.count(vault, actor, f"code:{browser.hex()[:32]}")
    codes, hashes = await factors.hashed_codes(vault)
    await vault.perform(_keyed, actor, browser, challenge, answer, name, hashes)
    return codes


@operation("enrolment.done")
def _keyed(
    unit: Unit,
    _actor: Actor,
    browser: bytes,
    challenge: str,
    answer: Mapping[str, Any],
    name: str,
    hashes: list[str],
) -> None:
    invitation, person = _with_password(unit, browser)
    unit.about(person=person.id, invitation=invitation.id)
    unit.say(by="passkey")
    factors.add_passkey(unit, person, invitation.id, challenge, answer, name)
    _finish(unit, invitation, person, hashes)


def _finish(unit: Unit, invitation: Invitation, person: Person, hashes: list[str]) -> None:
    """From this commit on the person can sign in."""
    factors.put_recovery(unit, person, hashes)
    unit.change(person, state="active", password_hash=invitation.password_hash)
    unit.change(invitation, state="done", browser_hash=None, password_hash="")


def _parsed(token: str) -> bytes:
    try:
        return parse_token("vk_enr", token)
    except NotSignedIn:
        raise NotSignedIn(_BEGIN_AGAIN) from None


def _invited(reading: Reading, invitation: Invitation) -> Person:
    person = reading.find(Person, id=invitation.person_id)
    if person is None or person.state != "invited":
        raise NotFound(_OVER)
    return person


def _of_browser(reading: Reading, browser: bytes) -> tuple[Invitation, Person]:
    found = reading.find(Invitation, browser_hash=browser)
    if found is None or found.state != "begun" or reading.now >= found.expires_at:
        raise NotSignedIn(_BEGIN_AGAIN)
    return found, _invited(reading, found)


def _with_password(unit: Unit, browser: bytes) -> tuple[Invitation, Person]:
    invitation, person = _of_browser(unit, browser)
    if not invitation.password_hash:
        raise Conflict("choose a password first")
    return invitation, person


def _view(reading: Reading, invitation: Invitation, person: Person) -> EnrolmentView:
    return EnrolmentView(
        name=person.name,
        mail=person.mail,
        roles=tuple(person.roles.split()),
        business=reading.settings.business,
        step="factor" if invitation.password_hash else "password",
        expires_at=to_datetime(invitation.expires_at),
    )
