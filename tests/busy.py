"""A house in full swing: forty services at every stage, several checkouts, a yes to be said, links that ran out."""

from tests.approvals import BY_COORDINATOR, put
from tests.operations.visiting import come
from tests.world import Member, World
from vault.model.views import LeaseView, ServiceView
from vault.operations.customers import mine
from vault.operations.house import upkeep
from vault.operations.services import tickets

WITH_GRACE = "longest_life_days = 90\ngrace_days = 7"
HOUSES = (
    "Acme Garden Tools", "Mill Street Books", "Hill Farm Shop", "Nordlicht Fahrräder", "Bakery Flour & Salt",
    "Gießerei Straßmann", "Lindqvist Lighting", "The Paper Lantern", "Ōkawa Tea House", "Blue Door Ceramics",
)  # fmt: skip
WORKS = ("Installation of the new shop", "Move to the new host", "Yearly upgrade", "Repair after the update")


class Busy:
    """Who and what is in it, for tests that look for one thing among many."""

    def __init__(self, world: World) -> None:
        put(
            world,
            BY_COORDINATOR.replace("longest_life_days = 90", WITH_GRACE).replace(
                'approval = "coordinator", ', ""
            ),
        )
        self.world = world
        self.customers = [world.customer(name, f"shop{at}@example.com") for at, name in enumerate(HOUSES)]
        self.rita: Member = world.hire("Rita Reyes", "technician")
        self.sven: Member = world.hire("Sven Sørensen", "technician")
        self.ended = self.registered(0, days=20)
        self.lapsed = [self.registered(at, days=60) for at in (1, 2)]
        for service in self.lapsed:
            world.ask(service)
        world.clock.advance(days=21)
        world.run(upkeep.sweep(world.vault))
        self.at_work = [self.registered(at, days=25 + at) for at in range(3, 15)]
        self.secrets = [world.give(service) for service in self.at_work]
        self.soon = [self.registered(at, days=days) for at, days in ((15, 2), (16, 5), (17, 6))]
        self.soon_secret = world.give(self.soon[0])
        self.ready = [self.registered(at, days=40) for at in (18, 19)]
        for service in self.ready:
            world.give(service)
        self.asked = [self.registered(at, days=45) for at in range(20, 26)]
        for service in self.asked:
            world.ask(service)
        self.unasked = [self.registered(at, days=50) for at in range(26, 38)]
        who = (world.member("technician"), self.rita, self.sven)
        self.tickets = [
            world.ticket(service, who[at % 3], f"T-{1040 + at}") for at, service in enumerate(self.at_work)
        ]
        self.unstaffed = world.perform(
            tickets.open_ticket,
            world.actor("coordinator"),
            self.soon[0].id,
            "T-1077",
            "Renew the certificate",
        )
        self.leases = [
            world.lease(self.tickets[at], self.secrets[at], who=who[at % 3], minutes=30 + 25 * at)
            for at in range(5)
        ]
        world.reveal(self.leases[0], self.secrets[0])
        self.paused = self.at_work[11]
        world.perform(mine.pause, come(world, self.paused.customer.id).actor, self.paused.id)
        put(world, BY_COORDINATOR.replace("longest_life_days = 90", WITH_GRACE))
        self.waits: list[LeaseView] = []

    def asks(self) -> LeaseView:
        """Somebody asks for a login that takes a coordinator's yes."""
        lease = self.world.lease(self.tickets[5], self.secrets[5], who=self.sven)
        self.waits.append(lease)
        return lease

    def registered(self, at: int, days: int) -> ServiceView:
        """One more service, of one of the customers."""
        return self.world.service(self.customers[at % 10], WORKS[at // 10], days)
