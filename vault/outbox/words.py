"""What the mails say."""

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


def destroyed(to: str, customer: str, business: str, service: str, certificate: str) -> Mail:
    """Tell a customer that the secrets of a service are destroyed, with the signed certificate."""
    return Mail(
        to,
        f"Your access for {service} was destroyed",
        f"""Hello {customer},

this service has ended:

    {service}

The access that you gave {business} for it was destroyed. Below is the signed certificate: what was destroyed, how, and
who had seen what. Please change the passwords and remove the keys on your server all the same: what a person has seen,
no vault takes back.

{certificate}
""",
    )
