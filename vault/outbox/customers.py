"""What the mails to customers say, in their language. Each ends with the link to their own page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vault.languages import Translation, marked, translation
from vault.outbox.letter import Letter, Link, Part, Said, Shown
from vault.outbox.mail import Mail


@dataclass(frozen=True)
class To:
    """Who is written to, in which language, in whose name; `page` is the link to their own page, empty for none."""

    mail: str
    name: str
    business: str
    language: str = "en"
    page: str = field(default="", repr=False)

    @property
    def words(self) -> Translation:
        """What is said in their language."""
        return translation(self.language)


# -- told at once, each in a mail of its own --------------------------------------------------------------------------


def asked(to: To, service: str, asked_by: str, link: str, until: datetime) -> Mail:
    """Ask a customer for access. The link opens a form; opening it changes nothing."""
    phrase, business = to.words.phrase, to.business
    return _mail(
        to,
        phrase("%(business)s asks you for access: %(service)s", business=business, service=service),
        Said(
            phrase(
                "%(who)s of %(business)s needs access to your server for this service:",
                who=asked_by,
                business=business,
            )
        ),
        Shown(service),
        Said(phrase("Please give it with this form. It takes about two minutes:")),
        Link(link),
        Said(
            phrase(
                "What you type is encrypted in your browser before it is sent. Only the technicians who work on this "
                "service can open it, each time for a reason that is recorded, and it is destroyed when the service "
                "ends."
            )
        ),
        Said(
            phrase(
                "The form can be used once, until %(until)s. Please never send passwords by mail. If you do not "
                "expect this message, ask %(business)s by telephone.",
                until=to.words.moment(until),
                business=business,
            )
        ),
    )


def lease_asked(
    to: To, service: str, *, who: str, ticket: str, what: Sequence[str], minutes: int, until: datetime
) -> Mail:
    """Ask a customer whether somebody may open what they gave. They answer on their own page alone."""
    words, phrase = to.words, to.words.phrase
    return _mail(
        to,
        phrase("%(who)s asks for your permission: %(service)s", who=who, service=service),
        Said(
            phrase(
                "%(who)s of %(business)s asks to open this, which you gave for “%(service)s”, for %(minutes)s min "
                "and for ticket %(ticket)s:",
                who=who,
                business=to.business,
                service=service,
                minutes=minutes,
                ticket=ticket,
            )
        ),
        *[Shown(words.gettext(one)) for one in what],
        Said(
            phrase(
                "It opens only if you allow it. On your page you read the reason, and allow it or not. If you do "
                "nothing, nothing is opened, and the question ends on %(until)s.",
                until=words.moment(until),
            )
        ),
    )


def code(to: To, code: str, until: datetime) -> Mail:
    """Send the code that opens the customer's page in the browser that asked for it; without any link."""
    phrase = to.words.phrase
    return _mail(
        to,
        phrase("Your code for your page at %(business)s", business=to.business),
        Said(phrase("Somebody has opened the page with your access, and asks for this code there:")),
        Shown(code),
        Said(
            phrase(
                "It works in that browser alone, once, until %(until)s. If it was not you, do nothing: without the "
                "code the page stays closed. Nobody of %(business)s will ask you for it.",
                until=to.words.moment(until),
                business=to.business,
            )
        ),
    )


def moved(to: To, former: str, mail: str) -> Mail:
    """Tell a customer, at the former or the new address, that the new one counts."""
    phrase = to.words.phrase
    return _mail(
        to,
        phrase("Your mail address at %(business)s was changed", business=to.business),
        Said(phrase("your mail address was changed on the page with your access:")),
        Shown(
            phrase("from  %(former)s", former=former or "?") + "\n" + phrase("to    %(mail)s", mail=mail),
        ),
        Said(
            phrase(
                "Both addresses get this message. Codes and notices go to the new one from now on, and links to your "
                "page from before do not work any more."
            )
        ),
        _unless(to),
    )


def passkey(to: To) -> Mail:
    """Tell a customer that a passkey of theirs was added or removed."""
    phrase = to.words.phrase
    return _mail(
        to,
        phrase("The passkeys of your page at %(business)s were changed", business=to.business),
        Said(
            phrase(
                "a passkey was added to the page with your access, or removed from it. The page lists those that are "
                "left."
            )
        ),
        _unless(to),
    )


def lines(to: To, service: str, ends: datetime, *, stops: datetime, lines: Sequence[str]) -> Mail:
    """Tell a customer that a service lasts longer than the lines that they added for us, and which ones would not."""
    phrase, words = to.words.phrase, to.words
    return _mail(
        to,
        phrase("Your line for us stops before the service ends: %(service)s", service=service),
        Said(phrase("this service lasts longer now, until %(ends)s:", ends=words.moment(ends))),
        Shown(service),
        Said(
            words.ngettext(
                "The line that you added for us on your server lets nobody in from %(day)s on. So that we can go on, "
                "put this one in its place, at the same spot in the file authorized_keys. It is the same key:",
                "The lines that you added for us on your server let nobody in from %(day)s on. So that we can go on, "
                "put these in their place, at the same spots in the file authorized_keys. They are the same keys:",
                len(lines),
            )
            % {"day": words.day(stops)}
        ),
        Shown("\n".join(lines)),
        Said(phrase("If you do nothing, it stops by itself on that day, and we may have to ask you again.")),
    )


def destroyed(to: To, service: str, certificate: str, lines: Sequence[str], mark: str) -> Mail:
    """Tell a customer that the secrets of a service are destroyed, with the signed certificate enclosed.

    `lines` are those that the customer added on a server and has to remove; `mark` is how every line of this service
    ends, and empty where none was ever offered.
    """
    phrase = to.words.phrase
    return _mail(
        to,
        phrase("Your access for %(service)s was destroyed", service=service),
        Said(phrase("this service has ended:")),
        Shown(service),
        Said(
            phrase(
                "The access that you gave %(business)s for it was destroyed. The signed certificate is enclosed: it "
                "says what was destroyed, how, and who had seen what. Please change the passwords and remove the keys "
                "on your server all the same: what a person has seen, no vault takes back.",
                business=to.business,
            )
        ),
        *_to_remove(to, lines, mark),
        enclosed=(("certificate.txt", certificate.encode()),),
    )


def _to_remove(to: To, lines: Sequence[str], mark: str) -> list[Part]:
    """What is to be done about the lines that let us in; nothing where there never was one."""
    phrase, words = to.words.phrase, to.words
    if not mark:
        return []
    if not lines:
        return [
            Said(
                phrase(
                    "If you once added a line that ends in %(mark)s on a server, and it is still there, please "
                    "remove it.",
                    mark=mark,
                )
            )
        ]
    return [
        Said(
            words.ngettext(
                "On your server please remove this line, which you added to the file authorized_keys for us:",
                "On your server please remove these lines, which you added to the file authorized_keys for us:",
                len(lines),
            )
        ),
        *[Shown(line) for line in lines],
        Said(phrase("If you find others there that end in %(mark)s, remove them too.", mark=mark)),
    ]


# -- notices, which can be gathered in one mail ------------------------------------------------------------------------


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
    return _mail(to, subject, *[Said(one) for one in said], *([_unless(to)] if own else []))


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


# -- how every mail begins and ends ------------------------------------------------------------------------------------


def _mail(to: To, subject: str, *parts: Part, enclosed: tuple[tuple[str, bytes], ...] = ()) -> Mail:
    greeting = Said(to.words.phrase("Hello %(name)s,", name=to.name))
    page: tuple[Part, ...] = ()
    if to.page:
        page = (
            Said(
                to.words.phrase(
                    "Who used your access, when and why, and every way to stop it, is on your page. It asks for a "
                    "code that we then send to this address:"
                )
            ),
            Link(to.page),
        )
    return Mail(to.mail, Letter(to.language, to.business, subject, (greeting, *parts, *page)), enclosed)


def _unless(to: To) -> Said:
    return Said(
        to.words.phrase(
            "If it was not you, tell %(business)s at once, by telephone and not by an answer to this message.",
            business=to.business,
        )
    )
