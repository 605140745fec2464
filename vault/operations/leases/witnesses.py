"""Who is told at once of what is not to happen often, and may review it: every coordinator and every auditor."""

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from vault.errors import NotFound
from vault.model.desk import Review
from vault.model.people import Person
from vault.model.tables import Lease, Outbox, Service, Ticket
from vault.operations import showing
from vault.operations.asking import active
from vault.operations.people import changes
from vault.outbox import words
from vault.outbox.mail import Mail
from vault.policy import glass as policy
from vault.policy.rights import AUDITOR, COORDINATOR
from vault.storage.reading import Reading
from vault.storage.unit import Unit
from vault.values import DAY, Actor, clock_words

ROLES = COORDINATOR | AUDITOR
_OUTBOX = Outbox.table()
_TOLD = (
    select(_OUTBOX.c.subject_id)
    .where(
        _OUTBOX.c.template == bindparam("template"),
        _OUTBOX.c.subject_id == bindparam("subject"),
        _OUTBOX.c.created_at > bindparam("since"),
    )
    .limit(1)
)


def witnesses(reading: Reading, but: str) -> list[Person]:
    """Every active coordinator and auditor but that person."""
    return [person for person in active(reading, ROLES) if person.id != but]


def why_not_review(reading: Reading, reviewer: Person, breaker: Person) -> str:
    """Why somebody may not review what another has broken, in words for them; nothing if they may."""
    _, accounts = changes.accounts_of(reading, reviewer, breaker)
    both = (changes.account_of(reviewer), changes.account_of(breaker))
    return policy.why_not_review(*both, accounts, reading.now)


def reviewers_for(reading: Reading, person: Person) -> list[Person]:
    """Whoever could review what that person breaks, whether or not at this very moment."""
    return [one for one in witnesses(reading, person.id) if not why_not_review(reading, one, person)]


# -- leaving word, as part of a change ---------------------------------------------------------------------------------


def on_broken(unit: Unit, review: Review, service: Service) -> None:
    """The glass was broken: the customer, every coordinator and every auditor hear of it at once."""
    unit.notify("lease.glass-broken", review.lease_id, service.customer_id)
    _tell(unit, "staff.glass-broken", review.id, review.person_id)


def on_overdue(unit: Unit, review: Review) -> None:
    """Nobody has reviewed it in time."""
    _tell(unit, "staff.review-overdue", review.id, review.person_id)


def on_reviewed(unit: Unit, review: Review) -> None:
    """It was reviewed: whoever broke the glass hears what was found."""
    unit.notify("staff.review-closed", f"{review.id} {review.person_id}", review.person_id)


def on_many_services(unit: Unit, person: Person) -> None:
    """Somebody opens more services than is usual: told once a day for each of them."""
    _tell(unit, "staff.many-services", person.id, person.id)


def _tell(unit: Unit, template: str, about: str, but: str) -> None:
    """Leave word for every witness but that person, once a day."""
    tell(unit, template, about, witnesses(unit, but))


def tell(unit: Unit, template: str, about: str, people: Iterable[Person]) -> None:
    """Leave word for each of these of the staff; whoever was told the same within a day is not told again."""
    for person in people:
        subject = f"{about} {person.id}"
        if not unit.rows(_TOLD, template=template, subject=subject, since=unit.now - DAY):
            unit.notify(template, subject, person.id)


# -- saying it, when the mail is sent ----------------------------------------------------------------------------------


def told(reading: Reading, _actor: Actor, template: str, subject: str) -> Mail | None:
    """One mail to one of the staff; None where it is no news any more. Raises NotFound."""
    about, to_id = subject.split()
    to = reading.find(Person, id=to_id)
    if to is None or to.state != "active":
        return None
    if template == "staff.many-services":
        return _mail(reading, template, to, "leases", who=showing.name_of(reading, about))
    review = reading.find(Review, id=about)
    if review is None:
        raise NotFound("there is no such thing")
    if template == "staff.review-overdue" and review.state != "open":
        return None
    lease = reading.find(Lease, id=review.lease_id)
    ticket = reading.find(Ticket, id=lease.ticket_id) if lease else None
    service = reading.find(Service, id=review.service_id)
    place = f"leases/{review.lease_id}" if template == "staff.review-closed" else f"reviews/{review.id}"
    return _mail(
        reading,
        template,
        to,
        place,
        who=showing.name_of(reading, review.person_id),
        by=showing.name_of(reading, review.closed_by),
        verdict=review.verdict,
        service=service.title if service else "",
        ticket=ticket.number if ticket else "",
        until=clock_words(lease.expires_at if lease else review.created_at),
        due=clock_words(review.due_at),
    )


def _mail(reading: Reading, template: str, to: Person, place: str, **values: str) -> Mail:
    link = f"{reading.settings.origin}/{place}"
    return words.watched(template, to.mail, to.name, reading.settings.business, link, **values)
