"""A catalogue with an extraordinary kind in it, and the verbs that go with it."""

from tests.world import CATALOGUE, Member, World
from vault.model.views import ServiceTypeView
from vault.operations.services import catalogue, necessity
from vault.policy.necessity import Line
from vault.values import Actor

HOST = Actor.host()
ADA = "administrator"
NECESSITY = "The registrar hands the domain over only to who is signed in there."
LINE = f'{{ kind = "registrar", because = "to move your domain", necessity = "{NECESSITY}" }}'
WITH_REGISTRAR = CATALOGUE.replace("may_ask = [", f"may_ask = [{LINE}, ").replace(
    "longest_life_days = 90", "longest_life_days = 90\ngrace_days = 5"
)
WAITS = "service type installation: registrar waits for an administrator's approval"


def installation(world: World) -> ServiceTypeView:
    """The test's service type, as a technician reads it."""
    (found,) = world.read(catalogue.service_types, world.actor("technician"))
    return found


def registrar(world: World) -> Line:
    """Its extraordinary line."""
    (found,) = necessity.lines_of(installation(world))
    return found


def is_approved(world: World) -> bool:
    of = installation(world)
    return {one.kind: one.approved for one in (*of.needs, *of.may_ask)}["registrar"]


def approve(world: World, by: "str | Member" = ADA) -> ServiceTypeView:
    """Approve that line as it stands, with a fresh proof."""
    line, actor = registrar(world), world.actor(by)
    return world.run(necessity.approve(world.vault, actor, line, world.presence(by)))
