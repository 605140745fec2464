"""What a customer is told by name: who was put on a ticket, and what came of the vault's check of what was given."""

import pytest

from tests.operations.test_form_steps import SEED
from tests.operations.visiting import come
from tests.world import LOGIN, World
from vault.crypto.encoding import b64, unb64
from vault.errors import Invalid
from vault.model.own_views import HappenedView
from vault.model.views import ServiceView
from vault.operations.customers import happened
from vault.operations.services import tickets


def told(world: World, service: ServiceView, *types: str) -> list[HappenedView]:
    """What is told of these types of entries, the newest first."""
    visitor = come(world, service.customer.id)
    page = world.read(happened.happened, visitor.actor, service.id)
    return [one for one in page.happened if one.type in types]


@pytest.mark.promise("P8")
def test_a_customer_reads_who_was_put_on_a_ticket_and_taken_off(embedded: World) -> None:
    service = embedded.service()
    ticket = embedded.ticket(service)
    coordinator, tom = embedded.actor("coordinator"), embedded.member("technician")
    embedded.perform(tickets.unassign, coordinator, ticket.id, tom.id)
    seen = told(embedded, service, "ticket.assign", "ticket.unassign", "ticket.open")
    assert [(one.type, one.by_name, one.whom) for one in seen] == [
        ("ticket.unassign", "Clara Cole", "Tom Tanner"),
        ("ticket.assign", "Clara Cole", "Tom Tanner"),
        ("ticket.open", "Clara Cole", ""),
    ]


@pytest.mark.promise("P7", "P8")
@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("4111 1111 1111 1111", "card"),
        (SEED, "misplaced"),
        ("", "unusable"),
        (None, "damaged"),
    ],
)
def test_what_the_check_refused_is_told_in_general_words(
    embedded: World, password: str | None, why: str
) -> None:
    service = embedded.service()
    browser, form = embedded.begin(embedded.ask(service))
    fields = LOGIN if password is None else {**LOGIN, "password": password}
    bad = embedded.sealed(form, {name: value for name, value in fields.items() if value})
    if password is None:
        raw = unb64(bad.envelope)
        bad = bad.model_copy(update={"envelope": b64(raw[:-1] + bytes([raw[-1] ^ 1]))})
    with pytest.raises(Invalid):
        embedded.hand_in(browser, bad)
    (seen,) = told(embedded, service, "secret.checked")
    assert (seen.outcome, seen.verdict, seen.why) == ("ok", "refused", why)


@pytest.mark.promise("P8")
def test_what_passed_the_check_is_told_too(embedded: World) -> None:
    service = embedded.service()
    embedded.give(service)
    (seen,) = told(embedded, service, "secret.checked")
    assert (seen.verdict, seen.why) == ("passed", "")
