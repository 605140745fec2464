"""What the staff are told of helpdesks, in English."""

from vault.outbox.letter import Letter, Link, Said
from vault.outbox.mail import Mail

NOTICES = {
    "staff.helpdesk-added": (
        "A helpdesk may tell the vault of tickets: {helpdesk}",
        """an operator of the vault's host has let a helpdesk tell the vault of tickets: {helpdesk}. It opens and closes
tickets and puts technicians on them, for the services that a coordinator connects with it and those that it registers
itself. It opens no secret and destroys nothing.""",
    ),
    "staff.helpdesk-secret": (
        "A helpdesk signs with a new secret: {helpdesk}",
        """an operator of the vault's host has made a new signing secret for a helpdesk: {helpdesk}. The one before
counts for a day more at most.""",
    ),
    "staff.helpdesk-ended": (
        "A helpdesk tells the vault nothing any more: {helpdesk}",
        """an operator of the vault's host has ended a helpdesk: {helpdesk}. Nothing that it says is believed any more;
tickets and assignments stay as they are, and coordinators look after them.""",
    ),
    "staff.helpdesk-unknown": (
        "Somebody is on a ticket only in the helpdesk: {helpdesk}",
        """{helpdesk} has put somebody on a ticket who is no technician of this vault by their mail address, so nobody
was put on it here. The log names the address. Put the right person on the ticket yourself, or have the address
corrected in the helpdesk. If more of these follow today, you are not told of each.""",
    ),
    "staff.helpdesk-ends": (
        "The helpdesk has ended a service: “{service}”",
        """{helpdesk} has ended “{service}”. Nothing of it opens any more. Its secrets are destroyed on {until}; until
then you can undo it: move the end of the service to a later day.""",
    ),
}
"""By the template of the outbox: the subject, and what is said."""
_PLACES = {"staff.helpdesk-unknown": "/tickets", "staff.helpdesk-ends": "/services/{service_id}"}


def told(template: str, to: str, name: str, business: str, origin: str, values: dict[str, str]) -> Mail:
    """Tell somebody of a helpdesk. Raises KeyError for a template that is not in NOTICES."""
    subject, said = NOTICES[template]
    place = _PLACES.get(template)
    link = (Link(origin + place.format_map(values)),) if place else ()
    greeting = Said(f"Hello {name},")
    whole = (greeting, Said(said.format_map(values)), *link)
    return Mail(to, Letter("en", business, f"{subject.format_map(values)} (the vault of {business})", whole))
