"""What the staff are told of helpdesks, by the rows of the moment when the mail is sent."""

from vault.model.helpdesks import Helpdesk
from vault.model.people import Person
from vault.model.tables import Service
from vault.outbox import helpdesks
from vault.outbox.mail import Mail
from vault.storage.reading import Reading
from vault.values import Actor, clock_words

TEMPLATES = frozenset(helpdesks.NOTICES)


def told(reading: Reading, _actor: Actor, template: str, subject: str) -> Mail | None:
    """One mail to one of the staff; None where it is no news any more, or not for them."""
    ids = {one[:3]: one for one in subject.split()}
    person = reading.find(Person, id=ids["per"])
    helpdesk = reading.find(Helpdesk, id=ids["hlp"])
    service = reading.find(Service, id=ids["svc"]) if "svc" in ids else None
    if person is None or person.state != "active" or helpdesk is None:
        return None
    if "svc" in ids and (service is None or service.destroy_at is None):
        return None  # it was undone meanwhile, or is over
    values = {"helpdesk": helpdesk.name}
    if service is not None:
        until = clock_words(service.destroy_at or 0)
        values |= {"service": service.title, "service_id": service.id, "until": until}
    business, origin = reading.settings.business, reading.settings.origin
    return helpdesks.told(template, person.mail, person.name, business, origin, values)
