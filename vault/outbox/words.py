"""What the mails say."""

from collections.abc import Sequence
from dataclasses import dataclass

from vault.outbox.mail import Mail


def asked(to: str, customer: str, business: str, service: str, asked_by: str, link: str, until: str) -> Mail:
    """Ask a customer for access. The link opens a form; opening it changes nothing."""
    return Mail(
        to,
        f"{business} asks you for access: {service}",
        f"""Hello {customer},

{asked_by} of {business} needs access to your server for this service:

    {service}

Please give it with this form. It takes about two minutes:

    {link}

What you type is encrypted in your browser before it is sent. Only the technicians who work on this service can open
it, each time for a reason that is recorded, and it is destroyed when the service ends.

The form can be used once, until {until}. Please never send passwords by mail. If you do not expect this message,
ask {business} by telephone.
""",
    )


def destroyed(
    to: str, customer: str, business: str, service: str, certificate: str, lines: Sequence[str], mark: str
) -> Mail:
    """Tell a customer that the secrets of a service are destroyed, with the signed certificate.

    `lines` are those that the customer added on a server and has to remove; `mark` is how every line of this service
    ends, and empty where none was ever offered.
    """
    return Mail(
        to,
        f"Your access for {service} was destroyed",
        f"""Hello {customer},

this service has ended:

    {service}

The access that you gave {business} for it was destroyed. Below is the signed certificate: what was destroyed, how, and
who had seen what. Please change the passwords and remove the keys on your server all the same: what a person has seen,
no vault takes back.
{_to_remove(lines, mark)}
{certificate}
""",
    )


def _to_remove(lines: Sequence[str], mark: str) -> str:
    """A paragraph about the lines that let us in, between empty lines; nothing where there never was one."""
    if not mark:
        return ""
    if not lines:
        return f"""
If you once added a line that ends in {mark} on a server, and it is still there, please remove it.
"""
    shown = "\n\n".join(f"    {line}" for line in lines)
    what = "this line, which you added" if len(lines) == 1 else "these lines, which you added"
    return f"""
On your server please remove {what} to the file authorized_keys for us:

{shown}

If you find others there that end in {mark}, remove them too.
"""


# -- to the staff ------------------------------------------------------------------------------------------------------


def invited(to: str, name: str, business: str, mail: str, link: str, until: str) -> Mail:
    """Invite somebody to enrol. The link opens a page; opening it changes nothing."""
    return Mail(
        to,
        f"{business} invites you to its vault",
        f"""Hello {name},

{business} keeps the access that its customers lend it in a vault, and this is your way in:

    {link}

The page asks you to choose a password and to set up a second factor: a passkey, or an authenticator app. Have your
telephone or your security key at hand; it takes about five minutes. You sign in as {mail}.

The link opens once, until {until}. Please do not pass it on: who opens it becomes you. If you do not expect this
message, tell an administrator of {business} by telephone.
""",
    )


def moved(to: str, name: str, business: str, former: str, mail: str) -> Mail:
    """Tell both addresses of somebody, the former and the new one, that the new one counts."""
    return Mail(
        to,
        f"Your mail address in the vault of {business} was changed",
        f"""Hello {name},

your mail address in the vault of {business} was changed:

    from  {former}
    to    {mail}

Both addresses get this message. You are signed out everywhere, and you sign in with the new address. For one day your
account checks nothing out.

{_unless(business)}
""",
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


def told(template: str, to: str, name: str, business: str, roles: str) -> Mail:
    """Tell somebody what happened to their account. Raises KeyError for a template that is not in NOTICES."""
    notice = NOTICES[template]
    return Mail(
        to,
        f"{notice.subject}: the vault of {business}",
        f"""Hello {name},

{notice.said.replace("{roles}", roles or "none")}

{_unless(business)}
""",
    )


def _unless(business: str) -> str:
    return f"""If that is not right, tell an administrator of {business} at once, by telephone and not by an answer to
this message. They can disable the account while you speak. Nobody will ask you for a password, a code or a link."""
