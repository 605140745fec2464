"""The auditor's log: who did what, when, why; what proves it; and all of it to take away."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.bodies import LARGEST_SEQ
from api.depends import CheckedForm, PageActor, TheVault
from api.pages.sheet import TEMPLATES, OwnSheet, PageRoute
from api.routes import ledger
from vault.errors import NotFound, VaultError
from vault.model.log_views import EntryView
from vault.operations.house import audit

router = APIRouter(prefix="/log", route_class=PageRoute, include_in_schema=False)

Words = Annotated[str, Query(max_length=60)]

WORDS = {
    "session.start": "Signed in",
    "session.end": "Ended a session",
    "attempt.limit": "Tried too often, and was held off",
    "session.end-all": "Signed out everywhere",
    "session.refresh": "Went on with a command line's session",
    "session.reuse": "Found a stolen token of a command line",
    "device.allow": "Let a command line sign in",
    "device.deny": "Sent a command line away",
    "enrolment.begin": "Opened an invitation",
    "enrolment.password": "Chose a first password",
    "enrolment.done": "Joined, with a second factor",
    "invitation.mint": "Made an invitation code",
    "invitation.expire": "An invitation ran out",
    "password.change": "Changed the password",
    "password.renew": "Hashed a password anew, as strongly as by now",
    "factor.ask": "Began to make a passkey",
    "factor.offer": "Was shown a key for an authenticator",
    "factor.add": "Added a factor",
    "factor.remove": "Removed a factor",
    "recovery.renew": "Made new recovery codes",
    "token.make": "Made an API token",
    "token.end": "Ended an API token",
    "agreement.accept": "Accepted the agreement",
    "staff.add": "Added to the staff",
    "staff.disable": "Disabled an account",
    "staff.ask": "Asked for a change of an account",
    "staff.vouch": "Vouched for a change of an account",
    "staff.refuse": "Refused a change of an account",
    "staff.withdraw": "Withdrew a change of an account",
    "staff.expire": "A change of an account waited too long",
    "staff.roles": "Changed somebody's roles",
    "staff.drop-role": "Took a role away",
    "staff.reset": "Reset somebody's access",
    "staff.mail": "Changed somebody's mail address",
    "presence.prove": "Proved presence",
    "catalogue.apply": "Changed the catalogue",
    "catalogue.approve": "Approved why a login is asked for",
    "catalogue.revoke": "Took such an approval back",
    "terms.publish": "Posted terms for customers",
    "terms.accept": "Accepted the terms, as a customer",
    "customer.add": "Added a customer",
    "service.register": "Registered a service",
    "service.end": "Ended a service",
    "service.prolong": "Moved the end of a service",
    "service.lapse": "A service can be brought back no more",
    "service.connect": "Let a helpdesk tell of a service",
    "service.disconnect": "Let no helpdesk tell of a service any more",
    "service.destroy": "Destroyed a service's secrets",
    "service.overdue": "A service was past its end",
    "request.expire": "A request ran out",
    "clock.doubt": "Doubted the host's clock",
    "clock.confirm": "Confirmed the clock",
    "request.ask": "Asked a customer",
    "request.mint": "Made an intake code",
    "request.reissue": "Made a new intake code",
    "request.cancel": "Withdrew a request",
    "request.begin": "Opened the form",
    "request.try": "Tried a PIN",
    "request.lock": "Tried too many PINs, and ended a request",
    "request.done": "Finished the form",
    "secret.give": "Gave a secret",
    "secret.again": "Began to give a secret once more",
    "secret.check": "Began to check a secret",
    "secret.checked": "Checked a secret",
    "secret.reveal": "Revealed a field",
    "secret.use": "Handed a field to a program",
    "secret.code": "Had a one-time code made",
    "secret.report": "Said a login does not work",
    "secret.damaged": "Found a secret damaged",
    "host-key.meet": "Met a server first, and confirmed its key",
    "host-key.show": "Was shown the key of a server",
    "ticket.open": "Opened a ticket",
    "ticket.assign": "Assigned a technician",
    "ticket.unassign": "Took a technician off",
    "ticket.hand-over": "Handed a service over to another technician",
    "ticket.close": "Closed a ticket",
    "lease.start": "Checked access out",
    "lease.approve": "Said yes to a checkout",
    "lease.refuse": "Said no to a checkout",
    "lease.break-glass": "Broke the glass",
    "review.close": "Closed the review of broken glass",
    "review.overdue": "A review was overdue",
    "lease.extend": "Made a lease longer",
    "lease.check-in": "Handed access back",
    "lease.revoke": "Ended somebody's access",
    "lease.expire": "A lease ran out",
    "service.pause": "Paused a service, as its customer",
    "service.resume": "Let a service go on, as its customer",
    "secret.withdraw": "Took a secret back, as its customer",
    "secret.replace": "Opened a form to give a secret anew",
    "customer.correct": "Corrected their own data",
    "visit.ask": "Asked for a code to their own page",
    "visit.mint": "Made a code for a customer's page",
    "visit.start": "Opened their own page",
    "visit.end": "Left their own page",
    "records.export": "Took their records away",
    "helpdesk.add": "Let a helpdesk tell of tickets",
    "helpdesk.secret": "Made a new secret for a helpdesk",
    "helpdesk.end": "Ended a helpdesk",
    "helpdesk.told": "Told of something that changes nothing yet",
    "audit.export": "Took the log away",
    "vault.scan": "Had what is kept looked through",
    "vault.unseal": "Unsealed the vault",
    "vault.seal": "Sealed the vault",
}
"""What an entry's type is called. One that is not here is shown as it is."""


OUTCOMES = {
    "Invalid": "it was not well formed",
    "NotSignedIn": "nobody was signed in",
    "Denied": "it was not allowed",
    "NotAgreed": "the agreement was not accepted",
    "Resting": "the account had just been changed",
    "StaleProof": "the proof of presence was not fresh",
    "ProofNeeded": "no proof of presence was given",
    "NotFound": "there was no such thing, or not for them",
    "Conflict": "it contradicted what was there",
    "Ended": "it was over",
    "TooMany": "it was tried too often",
    "Unavailable": "the vault could not do it",
    "Sealed": "the vault was sealed",
    "Busy": "the vault was too busy",
    "NotRecorded": "it could not be recorded",
    "ClockInDoubt": "the host's clock was in doubt",
    "Tampered": "what was stored did not match its record",
}
"""Why something was refused, in words. A class that is not here is shown as it is."""

_OTHERS = {"nobody": "Somebody", "core": "The vault", "host": "An operator on the host"}


_JOINING = {"enrolment.begin", "enrolment.password", "enrolment.done", "factor.offer", "factor.ask"}


def who(entry: EntryView) -> str:
    """Say who did it, in words where it was not one of the staff."""
    if entry.actor == "nobody" and entry.channel == "intake":
        return "The customer"
    if entry.actor == "nobody" and entry.type in _JOINING:
        return "Somebody invited"
    return entry.actor_name or _OTHERS.get(entry.actor, entry.actor)


def about(entry: EntryView) -> str:
    """Say in short what it was about: a reason or note as it was written, else the facts one by one."""
    spoken = entry.facts.get("reason") or entry.facts.get("note")
    shown = entry.ids.get("field", "") or spoken
    return shown or ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in entry.facts.items() if name != "source"
    )


def refused(entry: EntryView) -> str:
    """Say why it was refused; nothing where it was done."""
    return "" if entry.outcome == "ok" else f"refused: {OUTCOMES.get(entry.outcome, entry.outcome)}"


TEMPLATES.filters.update(who=who, about=about, refused=refused)


@router.get("", name="log.read")
async def log(
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    before: Annotated[int | None, Query(ge=0, le=LARGEST_SEQ)] = None,
    entry_type: Annotated[str, Query(alias="type", max_length=60)] = "",
    service: Words = "",
    person: Annotated[str, Query(alias="actor", max_length=60)] = "",
) -> Response:
    """List entries, newest first, as the filters say."""
    asked = {"type": entry_type.strip(), "service": service.strip(), "actor": person.strip()}
    wrong = ""
    try:
        page = await vault.read(
            audit.entries,
            actor,
            before,
            asked["type"] or None,
            asked["service"] or None,
            asked["actor"] or None,
        )
    except NotFound:
        page, wrong = None, "There is no service or person with that id. Leave a filter empty to see all"
    return sheet.shown("log.html", 404 if wrong else 200, page=page, asked=asked, words=WORDS, wrong=wrong)


@router.get("/{seq}", name="log.read")
async def entry(
    seq: Annotated[int, Path(ge=0, le=LARGEST_SEQ - 1)], vault: TheVault, actor: PageActor, sheet: OwnSheet
) -> Response:
    """Show one entry whole, with the proof that it is in the signed tree."""
    page = await vault.read(audit.entries, actor, seq + 1)
    found = next((one for one in page.entries if one.seq == seq), None)
    if found is None:
        raise NotFound("there is no such entry")
    try:
        proof = await vault.read(audit.inclusion, actor, seq)
    except VaultError:
        proof = None  # no checkpoint covers it yet
    return sheet.shown("entry.html", entry=found, proof=proof, words=WORDS)


@router.post("/checkpoint", name="log.read")
async def checkpoint(vault: TheVault, actor: PageActor, sheet: OwnSheet, _form: CheckedForm) -> Response:
    """Sign the log as it stands and show the checkpoint to keep."""
    return sheet.shown("checkpoint.html", checkpoint=await audit.checkpoint(vault, actor))


@router.post("/bundle", name="log.read")
async def bundle(vault: TheVault, actor: PageActor, _form: CheckedForm) -> Response:
    """Hand the whole log over as one file for the offline verifier; that it was taken is itself recorded."""
    return await ledger.bundle(vault, actor)
