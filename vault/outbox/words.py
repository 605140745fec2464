"""What the mails to the staff say, in English; what customers are told is in `customers`."""

from collections.abc import Mapping
from dataclasses import dataclass

from vault.outbox.letter import Letter, Link, Part, Said, Shown
from vault.outbox.mail import Mail


def invited(to: str, name: str, business: str, mail: str, link: str, until: str) -> Mail:
    """Invite somebody to enrol. The link opens a page; opening it changes nothing."""
    return _mail(
        to,
        business,
        f"{business} invites you to its vault",
        Said(f"Hello {name},"),
        Said(
            f"{business} keeps the access that its customers lend it in a vault, and this is your way in:",
        ),
        Link(link),
        Said(
            "The page asks you to choose a password and to set up a second factor: a passkey, or an authenticator "
            "app. Have your telephone or your security key at hand; it takes about five minutes. "
            f"You sign in as {mail}."
        ),
        Said(
            f"The link opens once, until {until}. Please do not pass it on: who opens it becomes you. "
            f"If you do not expect this message, tell an administrator of {business} by telephone."
        ),
    )


def moved(to: str, name: str, business: str, former: str, mail: str) -> Mail:
    """Tell both addresses of somebody, the former and the new one, that the new one counts."""
    return _mail(
        to,
        business,
        f"Your mail address in the vault of {business} was changed",
        Said(f"Hello {name},"),
        Said(f"your mail address in the vault of {business} was changed:"),
        Shown(f"from  {former}\nto    {mail}"),
        Said(
            "Both addresses get this message. You are signed out everywhere, and you sign in with the new address. "
            "For one day your account checks nothing out."
        ),
        _unless(business),
    )


@dataclass(frozen=True)
class Notice:
    """A message about somebody's own account."""

    subject: str
    said: str


NOTICES = {
    "staff.password": Notice(
        "Your password was changed",
        """the password of your account was changed. Somebody proved by your second factor that they are you.
You are signed out everywhere, and your API tokens have ended.""",
    ),
    "staff.factor": Notice(
        "Your second factors were changed",
        """a second factor of your account was added or removed: a passkey or an authenticator. Your account page lists
those that are left. You are signed out everywhere, and your API tokens have ended.""",
    ),
    "staff.recovery-code": Notice(
        "A recovery code was used",
        """somebody signed in to your account with your password and one of your recovery codes. That code is used up;
your account page says how many are left, and makes new ones.""",
    ),
    "staff.recovery-codes": Notice(
        "Your recovery codes were replaced",
        """your recovery codes were replaced by new ones. Those from before open nothing any more: throw them away.""",
    ),
    "staff.roles": Notice(
        "Your roles were changed",
        """your roles were changed. You have now: {roles}.
You are signed out everywhere, and your API tokens have ended. After a role was given, your account checks nothing out
and vouches for nobody for one day.""",
    ),
    "staff.reset": Notice(
        "Your account was reset",
        """your account was reset. Your password, your second factors and your recovery codes open nothing any more, and
your open leases have ended. You get an invitation, by mail or from an administrator, with which you choose new
ones. For one day your account checks nothing out.""",
    ),
    "staff.disabled": Notice(
        "Your account was disabled",
        """your account was disabled. You are signed out everywhere, and your open leases and API tokens have ended.""",
    ),
    "staff.stolen": Notice(
        "A sign-in of yours was used twice",
        """the key with which one of your command lines stays signed in was used twice, which happens when somebody has
copied it. That sign-in was ended, for both. If you have no explanation, look for what else on that computer was
copied, and sign out everywhere on your account page.""",
    ),
}


LEASES = {
    "staff.lease-asked": Notice(
        "{who} asks for your yes: ticket {ticket}",
        """{who} asks to check out access for “{service}”, for ticket {ticket} and {minutes} minutes{begins}. It takes a
coordinator's yes, and nothing opens before. You read the reason there, and say yes or no:""",
    ),
    "staff.lease-approved": Notice(
        "You may check out: ticket {ticket}",
        """{by} said yes to your lease of “{service}” for ticket {ticket}. It runs {runs}:""",
    ),
    "staff.lease-refused": Notice(
        "You may not check out: ticket {ticket}",
        """{by} said no to your lease of “{service}” for ticket {ticket}. Nothing was opened:""",
    ),
    "staff.lease-lapsed": Notice(
        "Nobody has answered: ticket {ticket}",
        """nobody has said yes or no to your lease of “{service}” for ticket {ticket} in time, so it was given up. Ask
for it anew if you still need it:""",
    ),
}
"""What is told of leases that take another person's yes. Reasons are left to the page."""


WATCHED = {
    "staff.glass-broken": Notice(
        "{who} has broken the glass: ticket {ticket}",
        """{who} has begun a lease of “{service}” for ticket {ticket} without the coordinator's yes that it takes,
because nobody said it in time. It runs until {until}. A coordinator can revoke it at any moment. The customer, every
coordinator and every auditor were told at the same time.

Somebody else than {who} has to review it, until {due}. You read there why it was done, and what was opened:""",
    ),
    "staff.review-overdue": Notice(
        "Nobody has reviewed the broken glass: ticket {ticket}",
        """{who} has broken the glass for “{service}” and ticket {ticket}, and nobody has reviewed it, which was due by
{due}. Until somebody does, {who} cannot do it again, and you get this message once a day:""",
    ),
    "staff.review-closed": Notice(
        "Your broken glass was reviewed: ticket {ticket}",
        """{by} has reviewed that you broke the glass for “{service}” and ticket {ticket}, and finds that it was
{verdict}. You read there what else was said:""",
    ),
    "staff.many-services": Notice(
        "{who} opens many services today",
        """{who} has checked out access to more different services within a day than is usual here. From now on each
further one takes a coordinator's yes, until that day is over. If nobody knows why, ask {who} by telephone, and revoke
what is open:""",
    ),
}
"""What is told to those who watch: coordinators and auditors, and whoever it is about. Reasons are left to the page."""


def lease(template: str, to: str, name: str, business: str, link: str, **values: str) -> Mail:
    """Tell somebody of a lease. The link opens a page. Raises KeyError for a template that is not in LEASES."""
    return _linked(LEASES[template], to, name, business, link, values)


def watched(template: str, to: str, name: str, business: str, link: str, **values: str) -> Mail:
    """Tell somebody who watches. The link opens a page. Raises KeyError for a template that is not in WATCHED."""
    return _linked(WATCHED[template], to, name, business, link, values)


def _linked(notice: Notice, to: str, name: str, business: str, link: str, values: Mapping[str, str]) -> Mail:
    return _mail(
        to,
        business,
        f"{notice.subject.format_map(values)}: the vault of {business}",
        Said(f"Hello {name},"),
        *[Said(part.format_map(values)) for part in notice.said.split("\n\n")],
        Link(link),
    )


def told(template: str, to: str, name: str, business: str, roles: str) -> Mail:
    """Tell somebody what happened to their account. Raises KeyError for a template that is not in NOTICES."""
    notice = NOTICES[template]
    return _mail(
        to,
        business,
        f"{notice.subject}: the vault of {business}",
        Said(f"Hello {name},"),
        *[Said(part.replace("{roles}", roles or "none")) for part in notice.said.split("\n\n")],
        _unless(business),
    )


def _mail(to: str, business: str, subject: str, *parts: Part) -> Mail:
    return Mail(to, Letter("en", business, subject, parts))


def _unless(business: str) -> Said:
    return Said(
        f"If that is not right, tell an administrator of {business} at once, by telephone and not by an answer to this "
        "message. They can disable the account while you speak. Nobody will ask you for a password, a code or a link."
    )
