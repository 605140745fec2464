"""The PIN of a request: a link that went astray opens nothing without what was told by telephone."""

import re
from typing import Any

import pytest

from tests.refusals import answer, refused
from tests.world import World
from vault.crypto.tokens import new_token
from vault.errors import Conflict, Ended, Invalid, NotFound, PinNeeded, TooMany
from vault.model.messages import Begin, Form
from vault.model.views import RequestView
from vault.operations.customers import intake, pins, requests
from vault.operations.services import services
from vault.values import Actor

CUSTOMER = Actor.nobody("198.51.100.9", "intake")


def begin(world: World, request: RequestView, pin: str, browser: str = "") -> Any:
    message = Begin(code=request.code or "", browser=browser or new_token("vk_giv"), pin=pin)
    return intake.begin(world.vault, CUSTOMER, message)


def wrong(request: RequestView) -> str:
    return f"{(int(request.pin or 0) + 1) % 10**6:06d}"


def state(world: World) -> list[Any]:
    return [tuple(row) for row in world.sql("SELECT state, pin_tries FROM request")]


@pytest.mark.attack("IN04")
def test_a_form_with_a_pin_opens_only_with_code_and_pin(world: World) -> None:
    request = world.ask(world.service(), pin=True)
    assert re.fullmatch("[0-9]{6}", request.pin or "")
    since = world.size()
    with refused(world, PinNeeded):
        world.run(begin(world, request, ""))
    kind, sentence, _ = answer(world, begin(world, request, wrong(request)))
    assert (kind, sentence) == (PinNeeded, "that is not the PIN; 4 tries are left")
    browser = new_token("vk_giv")
    form = world.run(begin(world, request, f" {(request.pin or '')[:3]} {(request.pin or '')[3:]} ", browser))
    assert isinstance(form, Form)
    assert world.ledger(since) == ["request.try ok", "request.try ok", "request.begin ok"]
    assert world.run(begin(world, request, "", browser)) == form, "its own browser is not asked again"


@pytest.mark.attack("IN04")
def test_five_wrong_pins_end_the_code_also_for_who_knows_the_right_one(world: World) -> None:
    request = world.ask(world.service(), pin=True)
    since = world.size()
    sentences = [answer(world, begin(world, request, wrong(request)))[1] for _ in range(5)]
    assert [re.findall("[0-9] tr", one) for one in sentences[:4]] == [["4 tr"], ["3 tr"], ["2 tr"], ["1 tr"]]
    assert "too often" in sentences[4]
    assert state(world) == [("cancelled", 5)]
    assert answer(world, begin(world, request, request.pin or ""))[0] is NotFound
    assert world.ledger(since) == ["request.try ok"] * 5 + ["request.lock ok"]


@pytest.mark.attack("IN04", "AZ16")
def test_fifty_pins_at_once_are_five_tries(world: World) -> None:
    request = world.ask(world.service(), pin=True)
    world.vault.hashing._inside = -100  # a queue without an end: what stops them must be the count alone
    works = [begin(world, request, wrong(request)) for _ in range(25)]
    answers = world.together(*works, begin(world, request, request.pin or ""))
    world.vault.hashing._inside += 100
    assert {type(one) for one in answers} <= {PinNeeded, Ended, NotFound}, "the right one came too late"
    assert state(world) == [("cancelled", 5)]


@pytest.mark.attack("AZ16")
def test_the_right_pin_in_many_browsers_at_once_opens_one_form(world: World) -> None:
    request = world.ask(world.service(), pin=True)
    answers = world.together(*(begin(world, request, request.pin or "") for _ in range(5)))
    assert [type(one) for one in answers].count(Form) == 1
    assert {type(one) for one in answers} <= {Form, Ended}
    assert state(world)[0][0] == "started"


def test_a_try_counts_before_it_is_judged(embedded: World) -> None:
    """Who stops the server between the two has used a try up."""
    request = embedded.ask(embedded.service(), pin=True)

    async def stops(*_: object) -> bool:
        raise RuntimeError("the power is gone")

    verify, embedded.vault.hashing.verify = embedded.vault.hashing.verify, stops  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        embedded.run(begin(embedded, request, request.pin or ""))
    embedded.vault.hashing.verify = verify  # type: ignore[method-assign]
    assert state(embedded) == [("asked", 1)]


def test_what_is_no_pin_is_no_try(embedded: World) -> None:
    request = embedded.ask(embedded.service(), pin=True)
    for typed in ("12345", "1234567", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "12345\u096c", "-"):
        with refused(embedded, Invalid, match="six digits"):
            embedded.run(begin(embedded, request, typed))
    assert state(embedded) == [("asked", 0)]


def test_a_browser_that_holds_another_form_is_told_so_before_a_try_counts(embedded: World) -> None:
    first = embedded.ask(embedded.service())
    second = embedded.ask(embedded.service(title="Another shop"), pin=True)
    browser, form = embedded.begin(first)
    with refused(embedded, Conflict):
        embedded.run(begin(embedded, second, wrong(second), browser))
    assert embedded.run(begin(embedded, first, "", browser)) == form


def test_a_request_that_had_a_pin_is_never_reissued_without_one(embedded: World) -> None:
    coordinator = embedded.actor("coordinator")
    request = embedded.ask(embedded.service(), pin=True)
    answer(embedded, begin(embedded, request, wrong(request)))
    with refused(embedded, Conflict, "request.reissue"):
        embedded.perform(requests.reissue, coordinator, request.id, "hand")
    fresh = embedded.run(requests.reissue_code(embedded.vault, coordinator, request.id, "hand", pin=False))
    assert fresh.pin
    assert state(embedded) == [("asked", 0)]
    assert answer(embedded, begin(embedded, request, request.pin or ""))[0] is NotFound
    assert embedded.run(begin(embedded, fresh, fresh.pin))


def test_a_pin_is_told_once_and_kept_only_slowly_hashed(embedded: World) -> None:
    service = embedded.service()
    request = embedded.ask(service, pin=True)
    shown = embedded.read(services.service, embedded.actor("coordinator"), service.id).requests
    assert [one.pin for one in shown] == [None]
    ((kept,),) = embedded.sql("SELECT pin_hash FROM request")
    assert kept.startswith("$argon2id$")
    bodies = "".join(row[0] for row in embedded.sql("SELECT body FROM ledger_entry"))
    assert f'"{request.pin}"' not in bodies
    assert (request.pin or "") not in repr(embedded.run(pins.make(embedded.vault)))


def test_a_pin_is_tried_while_the_vault_is_sealed(embedded: World) -> None:
    request = embedded.ask(embedded.service(), pin=True)
    embedded.seal()
    assert answer(embedded, begin(embedded, request, wrong(request)))[0] is PinNeeded
    assert isinstance(embedded.run(begin(embedded, request, request.pin or "")), Form)


def test_a_full_queue_refuses_before_a_pin_is_made(embedded: World) -> None:
    service, coordinator = embedded.service(), embedded.actor("coordinator")
    embedded.vault.hashing._inside = 100
    ask = requests.ask_customer(embedded.vault, coordinator, service.id, None, "hand", pin=True)
    with refused(embedded, TooMany):
        embedded.run(ask)
    embedded.vault.hashing._inside = 0
