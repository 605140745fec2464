"""A catalogue with an extraordinary kind in it, and the verbs that go with it."""

from tests.world import CATALOGUE, Member, World
from vault.model.views import AskedKind, ServiceTypeView
from vault.operations import catalogue, necessity
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


def registrar(world: World) -> AskedKind:
    """Its extraordinary line."""
    (found,) = (one for one in installation(world).may_ask if one.kind == "registrar")
    return found


def approve(world: World, by: "str | Member" = ADA) -> ServiceTypeView:
    """Approve that line as it stands, with a fresh proof."""
    line, actor = registrar(world).line, world.actor(by)
    return world.run(
        necessity.approve(world.vault, actor, "installation", "registrar", line, world.presence(by))
    )
