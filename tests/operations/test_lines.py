"""A service is prolonged, and the line that its customer added on the server does not know: they get another one."""

from datetime import timedelta

import pytest

from tests.operations.mailing import deliver, post_office
from tests.operations.test_offer import added, public_of
from tests.operations.visiting import come, shown
from tests.world import World
from vault.model.keylines import longer, stops_on
from vault.model.views import ServiceView
from vault.operations.customers import mine
from vault.operations.services import services
from vault.values import to_datetime


def prolonged(world: World, service: ServiceView, days: int) -> ServiceView:
    ends = to_datetime(world.clock.wall()) + timedelta(days=days)
    given = world.presence("coordinator")
    return world.run(services.prolong(world.vault, world.actor("coordinator"), service.id, ends, given))


@pytest.mark.promise("P4", "P8")
def test_a_line_that_stops_before_the_new_end_is_told_to_everybody_with_the_one_to_put_in_its_place(
    world: World,
) -> None:
    service = world.service(days=10)
    secret, _browser, form = added(world, service)
    line = form.items[0].line
    assert world.read(services.service, world.actor("coordinator"), service.id).secrets[0].line_stops is None
    visitor = come(world, service.customer.id)
    assert (shown(world, visitor, service).given[0].longer_line) == ""

    later = prolonged(world, service, 40)
    (held,) = later.secrets
    assert (held.id, held.line, held.line_stops) == (secret, line, stops_on(line))
    (given,) = shown(world, visitor, service).given
    assert given.line == line, "what is on the server is not known to have changed"
    assert given.line_stops == stops_on(line)
    assert public_of(given.longer_line) == public_of(line)
    assert stops_on(given.longer_line) > later.ends_at
    assert given.longer_line.endswith(f" valetkey-{service.id}")

    with post_office(world) as office:
        deliver(world)
    (mail,) = [one for one in office.mails if "stops before the service ends" in one["Subject"]]
    text = mail.get_body(("plain",))
    assert text is not None
    assert given.longer_line in text.get_content()
    assert line not in text.get_content()


@pytest.mark.promise("P8")
def test_nothing_is_said_of_lines_that_last_or_serve_no_more(world: World) -> None:
    lasting, taken = world.service(days=10), world.service(title="Another shop", days=10)
    added(world, lasting)
    secret, *_ = added(world, taken)
    visitor = come(world, taken.customer.id)
    world.run(mine.withdraw(world.vault, visitor.actor, secret))
    same_day = world.read(services.service, world.actor("coordinator"), lasting.id)
    assert same_day.secrets[0].line_stops is None
    prolonged(world, taken, 40)
    waiting = world.sql("SELECT template FROM outbox WHERE template = 'service.lines'")
    assert waiting == []
    assert shown(world, visitor, taken).given[0].longer_line == ""


def test_only_the_day_of_a_line_changes() -> None:
    line = 'expiry-time="20261201" ssh-ed25519 AAAA valetkey-svc_x'
    end = stops_on(line) + timedelta(days=3)
    assert longer("checked", line, end) == line.replace("20261201", "20261205")
    assert longer("checked", line, end - timedelta(days=4)) == ""
    assert [longer(state, line, end) for state in ("refused", "withdrawn", "purged", "awaited")] == [""] * 4
    assert longer("checked", "", end) == ""
    for other in ("ssh-ed25519 AAAA", 'expiry-time="x" ssh-ed25519 AAAA'):
        with pytest.raises(LookupError):
            stops_on(other)
