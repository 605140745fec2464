"""What the staff hear of helpdesks by mail, and when it is no news any more."""

from tests.operations.mailing import deliver, links, post_office, sentences
from tests.telling import Teller
from tests.world import World
from vault.operations.helpdesk import helpdesks
from vault.operations.services import services
from vault.values import DAY, Actor, to_datetime

ADA, CLARA = "ada@agency.example", "clara@agency.example"


def test_administrators_hear_of_each_helpdesk_and_coordinators_of_what_waits_for_them(
    embedded: World,
) -> None:
    with post_office(embedded) as office:
        teller = Teller(embedded)
        embedded.perform(helpdesks.renew, Actor.host(), teller.id)
        ends = to_datetime(embedded.clock.wall() + 20 * DAY).isoformat()
        for reference in ("C-7", "C-8"):
            known = {"id": reference, "type": "installation", "title": f"Shop {reference}", "ends_at": ends}
            customer = {"name": "Berta Books", "mail": "berta@books.example"}
            teller.tell("service.registered", teller.when(minutes=5), service=known, customer=customer)
        told = teller.ticket("C-7")
        for number in range(3):
            who = f"stranger-{number}@elsewhere.example"
            teller.tell("ticket.assigned", teller.when(minutes=4), ticket=told, assignee=who)
        for reference in ("C-7", "C-8"):
            teller.tell("service.ended", service={"id": reference})
        clara = embedded.actor("coordinator")
        undone = next(one for one in embedded.read(services.services, clara) if one.title == "Shop C-8")
        later = to_datetime(embedded.clock.wall() + 21 * DAY)
        given = embedded.presence("coordinator")
        embedded.run(services.prolong(embedded.vault, clara, undone.id, later, given))
        embedded.perform(helpdesks.end, Actor.host(), teller.id)
        while deliver(embedded):
            pass
        assert [one.partition(" (")[0] for one in office.subjects(ADA)] == [
            "A helpdesk may tell the vault of tickets: The helpdesk",
            "A helpdesk signs with a new secret: The helpdesk",
            "A helpdesk tells the vault nothing any more: The helpdesk",
        ]
        assert [one.partition(" (")[0] for one in office.subjects(CLARA)] == [
            "Somebody is on a ticket only in the helpdesk: The helpdesk",
            "The helpdesk has ended a service: “Shop C-7”",
        ]
        unknown, ended = (mail for mail in office.mails if mail["To"] == CLARA)
        assert "stranger" not in sentences(unknown), "addresses stay in the log"
        assert "move the end of the service to a later day" in sentences(ended)
        assert {one.rpartition("/")[0] for one in links(ended)} == {f"{embedded.settings.origin}/services"}
        assert not any(teller.secret in sentences(mail) for mail in office.mails)
