"""One of each: people in every role and state, whose rows are planted, and three services for them to get at.

Rows are planted by operations of our own, so that somebody can be what no operation of the vault makes of them, like
disabled with a session that nobody has ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.authenticator import SoftPasskey
from tests.operations.necessities import WITH_REGISTRAR
from tests.operations.visiting import come
from tests.world import World
from vault.crypto.tokens import new_token, token_hash
from vault.errors import ProofNeeded
from vault.model.desk import Review
from vault.model.people import ApiToken, Factor, Person
from vault.model.tables import Assignment, Lease
from vault.model.views import InvitationView, ServiceView
from vault.operations import presence
from vault.operations.customers import own_passkeys, visits
from vault.operations.helpdesk import helpdesks
from vault.operations.people import device, enrolling, factors, sessions, staff, tokens, vouching
from vault.operations.presence import NOTHING, Deed
from vault.operations.services import catalogue, services, tickets
from vault.policy.rights import SCOPES
from vault.storage.unit import Unit, operation
from vault.values import DAY, HOUR, Actor, Prefix, new_id

NOBODY = Actor.nobody("192.0.2.7", "page")
BOTH = "coordinator technician"
EVERY_SCOPE = frozenset(SCOPES)


@dataclass(frozen=True)
class Persona:
    """Somebody who asks: what the policy has to judge by, and on whose ticket they are."""

    name: str
    roles: str = ""
    on: str = ""
    """`own`: on the tickets of the first service and of the destroyed one; `other`: on the second one's."""
    state: str = "active"
    agreed: bool = True
    rested: bool = True
    scopes: frozenset[str] | None = None
    """What their API token was made for; None for who asks in a session."""

    @property
    def held(self) -> frozenset[str]:
        return frozenset(self.roles.split())


ANONYMOUS, CUSTOMER, ENROLLING, VISITOR = (
    Persona(name, state="nobody")
    for name in ("anonymous", "customer with a form", "somebody who enrols", "customer on their own page")
)
PERSONAS = (
    Persona("technician on the ticket", "technician", "own"),
    Persona("technician on another's ticket", "technician", "other"),
    Persona("technician on no ticket", "technician"),
    Persona("coordinator", "coordinator"),
    Persona("technician and coordinator", BOTH, "own"),
    Persona("auditor", "auditor"),
    Persona("administrator", "administrator"),
    Persona("invited", BOTH, "own", state="invited"),
    Persona("disabled", BOTH, "own", state="disabled"),
    Persona("disabled auditor", "auditor", state="disabled"),
    Persona("disabled administrator", "administrator", state="disabled"),
    Persona("before the agreement", BOTH, "own", agreed=False),
    Persona("auditor before the agreement", "auditor", agreed=False),
    Persona("in the cooling-off day", BOTH, "own", rested=False),
    Persona("administrator in the cooling-off day", "administrator", rested=False),
    Persona("without a role", "", "own"),
    Persona("technician who audits", "auditor technician", "own"),
    Persona("administrator who delivers", f"administrator {BOTH}", "own"),
    Persona("token for everything", BOTH, "own", scopes=EVERY_SCOPE),
    Persona("token of an auditor for everything", "auditor", scopes=EVERY_SCOPE),
    Persona("token of an administrator for everything", "administrator", scopes=EVERY_SCOPE),
    Persona("token for nothing", BOTH, "own", scopes=frozenset()),
    Persona("token for tickets alone", BOTH, "own", scopes=frozenset({"tickets:read"})),
    Persona("token before the agreement", BOTH, "own", agreed=False, scopes=EVERY_SCOPE),
    Persona("token of somebody disabled", BOTH, "own", state="disabled", scopes=EVERY_SCOPE),
)
THINGS = ("own", "other", "destroyed", "nonexistent")
Ids = Mapping[str, str]
PREFIXES: dict[str, Prefix] = {
    "service": "svc",
    "secret": "sec",
    "request": "req",
    "customer": "cus",
    "ticket": "tkt",
    "lease": "lse",
    "person": "per",
    "change": "chg",
    "factor": "fac",
    "session": "ses",
    "token": "tok",
    "challenge": "chl",
    "review": "rev",
    "helpdesk": "hlp",
}


@dataclass
class Side:
    """A service with all that hangs on it."""

    service: ServiceView
    ids: dict[str, str]


@dataclass
class Planted:
    """Somebody in the database."""

    id: str
    token: str = field(default="", repr=False)
    session: str = ""
    mine: dict[str, dict[str, str]] = field(default_factory=lambda: {thing: {} for thing in THINGS})
    """Their own things, by the side that they belong to."""


@operation("staff.add")
def _plant(unit: Unit, _actor: Actor, who: Persona, person_id: str, sides: dict[str, Side]) -> Planted:
    person = unit.find(Person, id=person_id)
    assert person is not None
    made = Planted(person.id)
    for thing, side in sides.items():
        if who.on and (who.on == thing or (who.on, thing) == ("own", "destroyed")):
            made.mine[thing] |= _deliver(unit, person.id, side.ids, live=thing != "destroyed")
    offered = factors.offer_totp(unit, person, "")
    factor = unit.find(Factor, id=offered.factor)
    assert factor is not None
    unit.change(factor, state="active")
    unit.change(person, factors=factor.id)
    (token, made.session), (_, ended), (_, ended_on_page) = (_session(unit, person) for _ in range(3))
    (key, _), (_, dropped), (_, dropped_on_page) = (
        _token(unit, person.id, who.scopes or frozenset()) for _ in range(3)
    )
    made.token = token if who.scopes is None else key
    made.mine["own"] |= {"factor": factor.id, "session": ended, "token": dropped}
    made.mine["own"] |= {"session on page": ended_on_page, "token on page": dropped_on_page}
    unit.change(
        person,
        state=who.state,
        roles=who.roles,
        agreed_version=1 if who.agreed else 0,
        rests_until=0 if who.rested else unit.now + DAY,
    )
    return made


def _deliver(unit: Unit, person_id: str, ids: dict[str, str], *, live: bool) -> dict[str, str]:
    """Be on a ticket, with a lease that is open and one that waits (where they can be), and one that is over."""
    row = Assignment(
        id=new_id("asg"),
        ticket_id=ids["ticket"],
        person_id=person_id,
        assigned_by="per_somebody",
        created_at=unit.now,
    )
    unit.insert(row)
    leases = {"lease": "active" if live else "ended", "over": "ended", "asked": "asked" if live else "ended"}
    for_yes = {"asked": "coordinator"}
    return {
        name: _lease(unit, person_id, ids, state, for_yes.get(name, "")) for name, state in leases.items()
    }


def _lease(unit: Unit, person_id: str, ids: Ids, state: str, approver: str) -> str:
    lease = Lease(
        id=new_id("lse"),
        ticket_id=ids["ticket"],
        service_id=ids["service"],
        person_id=person_id,
        reason="to try everything as everybody",
        covers=ids["secret"],
        minutes=30,
        approver=approver,
        state=state,
        starts_at=unit.now,
        expires_at=unit.now + 12 * HOUR,
    )
    unit.insert(lease)
    return lease.id


@operation("lease.break-glass")
def _broke_glass(unit: Unit, _actor: Actor, person_id: str, ids: Ids) -> str:
    """Glass that was broken, and that nobody has reviewed."""
    review = Review(
        id=new_id("rev"),
        lease_id=_lease(unit, person_id, ids, "ended", "coordinator"),
        service_id=ids["service"],
        person_id=person_id,
        reason="to try everything as everybody",
        created_at=unit.now,
        due_at=unit.now + DAY,
    )
    unit.insert(review)
    return review.id


@operation("lease.start")
def _asked_of_customer(unit: Unit, _actor: Actor, person_id: str, ids: Ids) -> str:
    """A lease that waits for a customer's yes."""
    return _lease(unit, person_id, ids, "asked", "customer")


def _session(unit: Unit, person: Person) -> tuple[str, str]:
    begun = sessions.begin(unit, NOBODY, person, "a test")
    return begun.token, unit.draft.actor.session


def _token(unit: Unit, person_id: str, scopes: frozenset[str]) -> tuple[str, str]:
    token = new_token("vk_api")
    row = ApiToken(
        id=new_id("tok"),
        token_hash=token_hash(token),
        person_id=person_id,
        name="A test",
        scopes=" ".join(sorted(scopes)),
        created_at=unit.now,
        expires_at=unit.now + DAY,
    )
    row.tag = tokens._tag(unit, row)
    unit.insert(row)
    return token, row.id


@operation("session.start")
def _another(unit: Unit, _actor: Actor, person_id: str) -> str:
    """One more session, whatever has become of the person."""
    person = unit.find(Person, id=person_id)
    assert person is not None
    return _session(unit, person)[0]


@operation("visit.start")
def _another_visit(unit: Unit, _actor: Actor, customer_id: str, token: str) -> None:
    """One more visit of a customer, whose token this is."""
    visits.begin(unit, NOBODY, customer_id, token_hash(token))


class Everybody:
    """The company of a world with every persona in it, and what each of them can name."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ghosts = {name: new_id(prefix) for name, prefix in PREFIXES.items()}
        toml = WITH_REGISTRAR.replace("longest_life_days", "break_glass_minutes = 20\nlongest_life_days")
        world.run(catalogue.apply(world.vault, Actor.host(), toml))
        self.helpdesk = world.run(helpdesks.add(world.vault, Actor.host(), "The helpdesk", "standard")).id
        self.sides = {thing: self._side(thing) for thing in ("own", "other", "destroyed")}
        added = [self._added(who.name.title(), f"p{number}") for number, who in enumerate(PERSONAS)]
        self._enrolling()
        self.planted = {  # only now: with a second administrator the host adds nobody any more
            who.name: world.perform(_plant, NOBODY, who, one.person.id, self.sides)
            for who, one in zip(PERSONAS, added, strict=True)
        }
        for side in self.sides.values():
            tom = world.member("technician").id
            side.ids["review"] = world.perform(_broke_glass, NOBODY, tom, side.ids)
        self.user_code = world.run(device.ask(world.vault, NOBODY)).user_code
        self.gone = self.planted["disabled"].id
        self._customer()
        self._visitor()
        self._changes()
        for who in PERSONAS:
            self._challenge(who)
        world.end(self.sides["destroyed"].service)

    def _added(self, name: str, box: str) -> InvitationView:
        world, mail = self.world, f"{box}@agency.example"
        return world.run(staff.add(world.vault, Actor.host(), name, mail, ["technician"]))

    def _side(self, thing: str) -> Side:
        world = self.world
        customer = world.customer(f"{thing.title()} Garden Tools", f"{thing}@customers.example")
        service = world.service(customer, f"The shop of {thing}")
        secret = world.give(service)
        clara = world.actor("coordinator")
        request = world.read(services.service, clara, service.id).requests[0].id
        opened = [
            world.perform(
                tickets.open_ticket, clara, service.id, f"T-{thing}-{number}", "Install the shop"
            ).id
            for number in range(2)
        ]
        world.perform(tickets.close, clara, opened[1])
        ids = {"service": service.id, "secret": secret, "request": request, "customer": customer.id}
        ids |= {"type_name": "installation", "kind": "registrar"}
        return Side(service, ids | {"ticket": opened[0], "closed": opened[1], "seq": "0"})

    def _customer(self) -> None:
        """Two customers with a form that is open, of the first service and of the second."""
        own, other = (
            self.world.begin(self.world.ask(self.sides[thing].service, "ssh-key")) for thing in THINGS[:2]
        )
        self.form = own[0]
        self.asked = {
            "own": own[1].items[0].secret,
            "other": other[1].items[0].secret,
            "nonexistent": new_id("sec"),
        }

    def _visitor(self) -> None:
        """A customer on their own page, with a service that is used up by nobody else's deeds and two passkeys."""
        world, origin = self.world, self.world.settings.origin
        customer = world.customer("Visiting Garden Tools", "visiting@customers.example")
        service = world.service(customer, "The shop of a visitor")
        self.visited = {"service": service.id, "secret": world.give(service), "customer": customer.id}
        ids = self.visited | {"ticket": world.ticket(service, number="T-visitor").id}
        tom = world.member("technician").id
        self.visited["lease"] = world.perform(_asked_of_customer, NOBODY, tom, ids)
        here = come(world, customer.id)
        self.visit = here.token
        for _ in range(2):
            asked = world.run(own_passkeys.ask(world.vault, here.actor))
            made = SoftPasskey(origin).create(asked["passkey"])
            world.perform(own_passkeys.add, here.actor, asked["challenge"], made, "A key")
        held = [one.id for one in world.read(own_passkeys.own, here.actor)]
        self.visited |= dict(zip(("factor", "factor on page"), held, strict=True))

    async def another_visit(self) -> str:
        """The token of one more visit of that customer; asked on the world's own loop."""
        token = new_token("vk_own")
        await self.world.vault.perform(_another_visit, NOBODY, self.visited["customer"], token)
        return token

    def _enrolling(self) -> None:
        invited = self._added("Edda Early", "edda")
        assert invited.code
        self.enrolment, _ = self.world.run(enrolling.begin(self.world.vault, NOBODY, invited.code))

    def _changes(self) -> None:
        """Ada has asked for two changes of Tom's account: one waits, the other one is withdrawn."""
        world, ada, tom = self.world, self.world.actor("administrator"), self.world.member("technician").id
        waits = world.run(
            vouching.ask_roles(world.vault, ada, tom, BOTH.split(), world.presence("administrator"))
        )
        over = world.run(
            vouching.ask_mail(world.vault, ada, tom, "tommy@agency.example", world.presence("administrator"))
        )
        world.perform(vouching.withdraw, ada, over.id)
        self.sides["own"].ids |= {"change": waits.id, "person": world.member("coordinator").id}
        self.sides["other"].ids |= {"change": over.id, "person": tom}
        self.decided = over.id

    def _challenge(self, who: Persona) -> None:
        made = self.planted[who.name]
        if who.state == "active" and who.scopes is None:
            actor = Actor("person", made.id, "page", made.session)
            try:
                self.world.run(presence.prove(self.world.vault, actor, Deed("try it", ("try",)), NOTHING))
            except ProofNeeded as asked:
                made.mine["own"]["challenge"] = asked.challenge["id"]

    async def another_session(self, who: Persona) -> str:
        """The token of one more session, whatever has become of the person; asked on the world's own loop."""
        token: str = await self.world.vault.perform(_another, NOBODY, self.planted[who.name].id)
        return token

    def ids(self, who: Persona, thing: str) -> Ids:
        """What somebody can name: their own where they have such a thing, else another's."""
        ghosts = dict(self.ghosts)
        ghosts |= {
            "closed": ghosts["ticket"],
            "over": ghosts["lease"],
            "asked": ghosts["lease"],
            "seq": "9000000",
            "gone": ghosts["person"],
        }
        ghosts |= {"technician": ghosts["person"], "decided": ghosts["change"]}
        ghosts |= {"type_name": "removal", "kind": "registrar"}
        if thing == "nonexistent":
            return ghosts
        first, second = (self.planted[one.name] for one in PERSONAS[:2])
        holder = second if thing == "other" else first
        mine: Mapping[str, Ids] = self.planted[who.name].mine if who.name in self.planted else {}
        strangers = second if who.name == PERSONAS[0].name else first
        found = ghosts | self.sides[thing].ids | {"gone": self.gone, "decided": self.decided}
        found |= {"helpdesk": self.helpdesk}
        found |= {name: holder.mine[thing][name] for name in ("lease", "over", "asked")}
        if thing == "other":
            found |= strangers.mine["own"] | {"technician": holder.id}
        if thing == "own" and who == VISITOR:
            found |= self.visited
        return found | dict(mine.get(thing, {}))
