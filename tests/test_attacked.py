"""What attackers of the running company have tried with success, once each."""

import pytest

from tests.refusals import answer
from tests.world import PASSWORD, World
from vault.errors import Invalid, NotSignedIn, TooMany
from vault.operations import attempts, sessions
from vault.policy.attempts import LIMITS
from vault.values import Actor, MailAddress

FOREIGN = "203.0.113.1"


def guess(world: World, mail: str, source: str) -> type:
    nobody = Actor.nobody(source, "api")
    return answer(world, sessions.sign_in(world.vault, mail, PASSWORD, "000000", nobody))[0]


@pytest.mark.attack("AN01", "AN02", "DO06")
def test_an_address_that_is_refused_goes_on_to_lock_nobody_out(world: World) -> None:
    tom = world.member("technician")
    for _ in range(LIMITS["source"]):
        world.run(attempts.count(world.vault, Actor.nobody(FOREIGN, "api"), f"source:{FOREIGN}"))
    for _ in range(LIMITS["account"] + 2):
        assert guess(world, tom.view.mail, FOREIGN) is TooMany
    assert world.sign_in(tom)


@pytest.mark.attack("AN02")
def test_the_addresses_of_one_network_are_one_source(embedded: World) -> None:
    for _ in range(LIMITS["source"] - 2):
        nobody = Actor.nobody("", "api")
        embedded.run(attempts.count(embedded.vault, nobody, "source:2001:db8:5:6::/64"))
    seen = [guess(embedded, f"x{at}@agency.example", f"2001:db8:5:6::{at:x}") for at in range(1, 5)]
    assert seen == [NotSignedIn, NotSignedIn, TooMany, TooMany]


@pytest.mark.attack("DO10")
@pytest.mark.parametrize(
    "raw", ["=?utf-8?q?=0aBcc=3a?=@b.example", "=?utf-8?q?a=40evil.example?=@b.example", "a=?@b.example"]
)
def test_an_address_that_a_mails_header_would_read_otherwise_is_refused(raw: str) -> None:
    """One of them stopped every mail after it for ever: the header could not be written."""
    with pytest.raises(Invalid):
        MailAddress.parse(raw)
    assert MailAddress.parse("=a?b@b.example").text == "=a?b@b.example"
