"""What every run of the lease machine begins with: four services, a ticket on each, and five of the staff."""

import base64
import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.operations.lease_facts import DAY, HOUR, SERVICES_A_DAY, Job, Place, Somebody, Task
from tests.operations.lease_model import House
from tests.world import LOGIN, Template, World
from vault.model.views import ServiceView
from vault.operations.customers import customers
from vault.operations.services import catalogue, services, tickets
from vault.values import Actor

HOST = Actor.host()
AGREEMENT = "I keep to myself what I see of customers and their servers, and use it for their service alone."
JOBS = {
    "free": Job("", 240, 30, "Clara"),
    "single": Job("", 120, 30, "Clara", exclusive=True),
    "vouched": Job("coordinator", 240, 5, "Clara", exclusive=True, glass=15),
    "owned": Job("customer", 240, 30, "Bo"),
}
"""The services, each with a type of its own name; their ends still in days."""
STAFF = {
    "Tom": {"technician"},
    "Tina": {"technician"},
    "Bo": {"technician", "coordinator"},
    "Clara": {"coordinator"},
    "Carl": {"coordinator"},
}
SEED = b"12345678901234567890"
"""Of the test vectors of RFC 6238."""
GIVEN = {"ssh-password": LOGIN, "totp-seed": {"otpauth": base64.b32encode(SEED).decode()}}
TECHNICIANS = ("Tom", "Tina", "Bo")
ENVIRONMENT = {"VALETKEY_SERVICES_A_DAY": str(SERVICES_A_DAY)}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(of: datetime) -> int:
    return (of - EPOCH) // timedelta(microseconds=1)


def toml(version: int = 1) -> str:
    """The catalogue, with some version of the agreement."""
    parts = [f'[agreement]\ntext = "{AGREEMENT} Version {version}."\n']
    for name, job in JOBS.items():
        line = f'approval = "{job.approver}", ' if job.approver else ""
        parts.append(
            f"[service-types.{name}]\n"
            f'title = "The {name} shop"\n'
            f"longest_lease_minutes = {job.longest}\nlongest_life_days = 90\n"
            f"exclusive = {str(job.exclusive).lower()}\nbreak_glass_minutes = {job.glass}\n"
            "needs = [\n"
            f'  {{ kind = "ssh-password", {line}because = "to install the shop on your server" }},\n'
            f'  {{ kind = "totp-seed", {line}because = "to log in where a code is asked for" }},\n]\n'
        )
    return "".join(parts)


@dataclass
class Scene:
    """The real ids by the model's names, and the model."""

    people: dict[str, str]
    jobs: dict[str, str]
    tasks: dict[str, str]
    customers: dict[str, str]
    house: House
    begins: int


Opened = Callable[[], AbstractContextManager[tuple[World, Scene]]]
"""Opens a world in which the scene is laid."""


def go_to(world: World, at: int) -> None:
    world.clock.advance(microseconds=at - world.clock.wall())


def lay(world: World) -> Scene:
    """Do all that happens before the first lease. It is some midnight, so that codes change at the same moments."""
    go_to(world, (world.clock.wall() // DAY + 2) * DAY)
    world.run(catalogue.apply(world.vault, HOST, toml()))
    members = {"Tom": world.member("technician"), "Clara": world.member("coordinator")}
    for name in ("Tina", "Bo", "Carl"):
        members[name] = world.hire(f"{name} Brown", " ".join(sorted(STAFF[name])))
    for member in members.values():
        world.actor(member)
    people = {name: Somebody(set(roles)) for name, roles in STAFF.items()}
    ids = {name: member.id for name, member in members.items()}
    scene = Scene(ids, {}, {}, {}, House(people, {}, {}), 0)
    for name in JOBS:
        begin_job(world, scene, name, name)
    scene.begins = world.clock.wall() + HOUR
    return scene


def begin_job(world: World, scene: Scene, kind: str, name: str) -> None:
    """A service whose customer has given both logins, with a ticket that everybody who could is on."""
    members = {member.id: member for member in world.staff.values()}
    clara, job = world.actor("coordinator"), copy.deepcopy(JOBS[kind])
    adder = world.actor(members[scene.people[job.adder]])
    customer = world.run(customers.add(world.vault, adder, f"The {name} garden", f"{name}@acme.example"))
    ends = EPOCH + timedelta(microseconds=world.clock.wall()) + timedelta(days=job.ends)
    service = world.run(services.register(world.vault, clara, customer.id, kind, title(name), ends))
    given = _given(world, service)
    job.logins, job.ends = dict.fromkeys(given.values(), "there"), moment(service.ends_at)
    job.coded = frozenset({given["totp-seed"]})
    ticket = world.ticket(service, number=f"T-{name}")
    task = Task(name)
    for who in TECHNICIANS:
        task.on[who] = Place()
        world.perform(tickets.assign, clara, ticket.id, scene.people[who])
    scene.jobs[name], scene.tasks[name], scene.customers[name] = service.id, ticket.id, customer.id
    scene.house.jobs[name], scene.house.tasks[name] = job, task


def _given(world: World, service: ServiceView) -> dict[str, str]:
    """Each login by its kind, in the order of `GIVEN`."""
    browser, form = world.begin(world.ask(service))
    items = {item.kind: at for at, item in enumerate(form.items)}
    return {
        kind: world.hand_in(browser, world.sealed(form, fields, "x25519", items[kind])).secret
        for kind, fields in GIVEN.items()
    }


def title(name: str) -> str:
    return f"Shop {name}"


def laid_once(template: Template, place: Path) -> Opened:
    """Lay the scene in a vault on SQLite, close it, and copy that for each run."""
    with template.world(place) as world:
        scene = lay(world)
        staff, data = dict(world.staff), world.settings.data_dir
    laid = copy.copy(template)
    laid.place, laid.staff = place, staff
    data.rename(place / "data")

    @contextmanager
    def opened() -> Iterator[tuple[World, Scene]]:
        with laid.world(place) as world:
            yield world, scene

    return opened


def laid_each_time(template: Template, place: Path) -> Opened:
    """Lay it anew for each run, whatever the database."""

    @contextmanager
    def opened() -> Iterator[tuple[World, Scene]]:
        with template.world(place) as world:
            yield world, lay(world)

    return opened
