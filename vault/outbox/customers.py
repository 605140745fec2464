"""What the mails to customers say that are told at once, each in a mail of its own, in their language."""

from collections.abc import Sequence
from datetime import datetime

from vault.outbox.addressee import To, unless, written
from vault.outbox.letter import Link, Part, Said, Shown
from vault.outbox.mail import Mail


def asked(to: To, service: str, asked_by: str, link: str, until: datetime) -> Mail:
    """Ask a customer for access. The link opens a form; opening it changes nothing."""
    phrase, business = to.words.phrase, to.business
    return written(
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
    to: To,
    service: str,
    *,
    who: str,
    ticket: str,
    what: Sequence[str],
    minutes: int,
    until: datetime,
    begins: datetime | None = None,
) -> Mail:
    """Ask a customer whether somebody may open what they gave. They answer on their own page alone.

    `begins` is when it is to be opened, where that is not at once.
    """
    words, phrase = to.words, to.words.phrase
    return written(
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
        *(
            [Said(phrase("It is not to be opened before %(begins)s.", begins=words.moment(begins)))]
            if begins
            else []
        ),
        Said(
            phrase(
                "It opens only if you allow it. On your page you read the reason, and allow it or not. If you do "
                "nothing, nothing is opened, and the question ends on %(until)s.",
                until=words.moment(until),
            )
        ),
    )


def glass_broken(
    to: To, service: str, *, who: str, ticket: str, what: Sequence[str], when: datetime, until: datetime
) -> Mail:
    """Tell a customer that somebody may open what they gave without the second person's yes that it takes."""
    words, phrase, business = to.words, to.words.phrase, to.business
    return written(
        to,
        phrase("Opened without the permission that it takes: %(service)s", service=service),
        Said(
            phrase(
                "%(who)s of %(business)s needed the access that you gave for “%(service)s”, for ticket %(ticket)s. "
                "That takes the permission of a second person at %(business)s, and nobody gave it in time. So on "
                "%(when)s %(who)s went on without it, and can open this until %(until)s:",
                who=who,
                business=business,
                service=service,
                ticket=ticket,
                when=words.moment(when),
                until=words.moment(until),
            )
        ),
        *[Shown(words.gettext(one)) for one in what],
        Said(
            phrase(
                "This is meant for emergencies. Everybody at %(business)s who watches over access was told at the same "
                "moment, and somebody else has to look into it. The reason is on your page, where you see what was "
                "opened. There you can also pause the service, which stops it at once.",
                business=business,
            )
        ),
    )


def code(to: To, code: str, until: datetime) -> Mail:
    """Send the code that opens the customer's page in the browser that asked for it; without any link."""
    phrase = to.words.phrase
    return written(
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
    return written(
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
        unless(to),
    )


def passkey(to: To) -> Mail:
    """Tell a customer that a passkey of theirs was added or removed."""
    phrase = to.words.phrase
    return written(
        to,
        phrase("The passkeys of your page at %(business)s were changed", business=to.business),
        Said(
            phrase(
                "a passkey was added to the page with your access, or removed from it. The page lists those that are "
                "left."
            )
        ),
        unless(to),
    )


def lines(to: To, service: str, ends: datetime, *, stops: datetime, lines: Sequence[str]) -> Mail:
    """Tell a customer that a service lasts longer than the lines that they added for us, and which ones would not."""
    phrase, words = to.words.phrase, to.words
    return written(
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
    return written(
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
