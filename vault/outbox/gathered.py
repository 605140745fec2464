"""Notices to customers that can wait for others: one in a mail of its own, several in one, or the day's in a digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vault.languages import marked
from vault.outbox.addressee import To, unless, written
from vault.outbox.letter import Said
from vault.outbox.mail import Mail


@dataclass(frozen=True)
class Notice:
    """One thing that happened: which of NOTICES, when, for which service, and what its sentence needs besides."""

    template: str
    when: datetime
    service: str
    what: str = ""
    who: str = ""
    ticket: str = ""
    reference: str = ""
    ends: datetime | None = None


@dataclass(frozen=True)
class Wording:
    """How one notice is said: as a subject, and as a sentence."""

    subject: str
    said: str
    own: bool = False
    """Whether the customer did it, and should hear of it if they did not."""


NOTICES = {
    "secret.received": Wording(
        marked("We have received your access: %(service)s"),
        marked(
            "We have received “%(what)s” for “%(service)s” on %(when)s, and checked that it opens. It is kept "
            "encrypted. Your reference: %(reference)s."
        ),
    ),
    "secret.first-use": Wording(
        marked("Your access was opened for the first time: %(service)s"),
        marked(
            "%(who)s of %(business)s opened “%(what)s” for “%(service)s” for the first time, for ticket %(ticket)s, "
            "on %(when)s."
        ),
    ),
    "secret.first-handed": Wording(
        marked("Your access was used for the first time: %(service)s"),
        marked(
            "%(who)s of %(business)s used “%(what)s” for “%(service)s” for the first time, in a program that does not "
            "show it, for ticket %(ticket)s, on %(when)s."
        ),
    ),
    "secret.first-code": Wording(
        marked("A code was made of your access for the first time: %(service)s"),
        marked(
            "%(who)s of %(business)s had a one-time code made of “%(what)s” for “%(service)s” for the first time, for "
            "ticket %(ticket)s, on %(when)s. Of it they saw that code alone, which is over by now."
        ),
    ),
    "secret.handed": Wording(
        marked("Your access was used: %(service)s"),
        marked(
            "%(who)s of %(business)s used “%(what)s” for “%(service)s”, in a program that does not show it, for ticket "
            "%(ticket)s, on %(when)s. Such access is kept only as an exception, so you hear of every use."
        ),
    ),
    "secret.code": Wording(
        marked("A code was made of your access: %(service)s"),
        marked(
            "%(who)s of %(business)s had a one-time code made of “%(what)s” for “%(service)s”, for ticket %(ticket)s, "
            "on %(when)s. Such access is kept only as an exception, so you hear of every code."
        ),
    ),
    "secret.used": Wording(
        marked("Your access was opened: %(service)s"),
        marked(
            "%(who)s of %(business)s opened “%(what)s” for “%(service)s”, for ticket %(ticket)s, on %(when)s. Such "
            "access is kept only as an exception, so you hear of every opening."
        ),
    ),
    "service.ending": Wording(
        marked("Ends soon: %(service)s"),
        marked(
            "“%(service)s” ends on %(ends)s. Then nothing that you gave for it opens any more; it is destroyed, and "
            "you get a certificate. There is nothing that you have to do."
        ),
    ),
    "service.paused": Wording(
        marked("Paused: %(service)s"),
        marked(
            "You paused “%(service)s” on %(when)s. Nothing that you gave for it opens until you resume it on your page."
        ),
        own=True,
    ),
    "service.resumed": Wording(
        marked("Resumed: %(service)s"),
        marked("You resumed “%(service)s” on %(when)s. What you gave for it can be used again."),
        own=True,
    ),
    "secret.withdrawn": Wording(
        marked("Withdrawn: %(service)s"),
        marked("You withdrew “%(what)s” from “%(service)s” on %(when)s. It opens for nobody any more."),
        own=True,
    ),
    "service.ended": Wording(
        marked("Ended by you: %(service)s"),
        marked(
            "You ended “%(service)s” on %(when)s. Nothing that you gave for it opens any more, and it is being "
            "destroyed. The certificate follows in a mail of its own."
        ),
        own=True,
    ),
}
"""What can be gathered. Reasons are left to the page: people type what they like into them, and many read mail."""


def told(to: To, notices: Sequence[Notice]) -> Mail:
    """Tell a customer what happened, in its order: one thing, or several in one mail. Raises KeyError for none of ours.

    The same thing again and again, like one login that was opened field by field, is said once for each minute.
    """
    said = list(dict.fromkeys(_sentence(to, notice) for notice in notices))
    first = NOTICES[notices[0].template]
    if len(said) == 1:
        subject = to.words.phrase(first.subject, service=notices[0].service)
    else:
        subject = to.words.phrase(
            "%(count)s things happened with your access at %(business)s",
            count=len(said),
            business=to.business,
        )
    own = any(NOTICES[notice.template].own for notice in notices)
    return written(to, subject, *[Said(one) for one in said], *([unless(to)] if own else []))


def _sentence(to: To, notice: Notice) -> str:
    words = to.words
    return words.phrase(
        NOTICES[notice.template].said,
        business=to.business,
        service=notice.service,
        what=words.gettext(notice.what),
        who=notice.who,
        ticket=notice.ticket,
        reference=notice.reference,
        when=words.moment(notice.when),
        ends=words.moment(notice.ends or notice.when),
    )
