"""Verbs about passkeys and proofs, for the tests of whoever proves who they are."""

from typing import Any

from tests.authenticator import HONEST, Lies, SoftPasskey
from tests.world import Member, World
from vault.operations import presence
from vault.operations.people import account, sessions
from vault.operations.people.sessions import SignedIn
from vault.operations.presence import Deed
from vault.storage.unit import Unit, operation
from vault.values import Actor

PAGE = Actor.nobody("192.0.2.7", "page")
LINE = Actor.nobody("192.0.2.7", "cli")


def with_passkey(world: World, who: "str | Member", **made: Any) -> SoftPasskey:
    """Add a passkey to somebody's account. Their sessions are over by then."""
    member = world.member(who)
    actor, given = world.actor(member), world.presence(member)
    asked = world.run(account.ask_passkey(world.vault, actor, given))
    key = SoftPasskey(world.settings.origin, **made)
    answer = key.create(asked["passkey"])
    world.run(account.add_passkey(world.vault, actor, asked["challenge"], answer, "My key"))
    member.token = ""
    return key


def by_passkey(world: World, key: SoftPasskey, by: Actor = PAGE, lies: Lies = HONEST) -> SignedIn:
    """Sign in with it."""
    asked = world.run(sessions.ask_passkey(world.vault, by))
    answer = key.get(asked["passkey"], lies)
    return world.run(sessions.sign_in_with_passkey(world.vault, asked["challenge"], answer, by))


def acting(world: World, started: SignedIn, channel: Any = "page") -> Actor:
    """Who acts with that session's token."""
    return world.run(sessions.resolve(world.vault, started.token, "192.0.2.7", channel))


@operation("lease.start")
def spend(unit: Unit, actor: Actor, proof: str, deed: Deed) -> None:
    """A deed that takes a proof and does nothing else."""
    presence.spend(unit, actor, proof, deed)
