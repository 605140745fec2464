"""The form between its code and its end: it is gone on with where it was begun, and terms are accepted on it."""

from typing import Any

import pytest

from tests.refusals import answer, refused
from tests.world import LOGIN, World
from vault.crypto.tokens import new_token
from vault.errors import Conflict, Ended, Invalid, NotFound, Sealed, TooMany
from vault.model.messages import Accept, Again, Begin, Done, Form, Look, Speak
from vault.model.views import RequestView
from vault.operations.customers import giving, intake, terms
from vault.operations.customers.forms import browser_of
from vault.policy.attempts import LIMITS
from vault.values import Actor

CUSTOMER = Actor.nobody("198.51.100.9", "intake")
TERMS = "What you hand over is deleted when it is no longer needed."
SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def begin(world: World, request: RequestView, browser: str) -> Any:
    return intake.begin(world.vault, CUSTOMER, Begin(code=request.code or "", browser=browser))


def accept(world: World, browser: str, version: int) -> Any:
    return intake.accept(world.vault, CUSTOMER, Accept(browser=browser, version=version))


def publish(world: World, text: str, after: int = 0) -> int:
    return int(world.run(terms.publish(world.vault, Actor.host(), text, after)).version)


def give(world: World, browser: str, message: Any) -> Any:
    return giving.give(world.vault, CUSTOMER, message.model_copy(update={"browser": browser}))


# -- going on ---------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P4")
@pytest.mark.attack("IN01", "IN04")
def test_the_same_code_in_the_same_browser_goes_on_and_binds_nothing_anew(world: World) -> None:
    request = world.ask(world.service())
    browser, form = world.begin(request)
    before = world.sql("SELECT browser_hash, state FROM request")
    assert world.run(begin(world, request, browser)) == form
    world.hand_in(browser, world.sealed(form))
    gone_on = world.run(begin(world, request, browser))
    assert gone_on == world.run(intake.look(world.vault, CUSTOMER, Look(browser=browser)))
    assert gone_on.items[0].given
    assert world.sql("SELECT browser_hash, state FROM request") == before
    with refused(world, Ended, match="used already"):
        world.run(begin(world, request, new_token("vk_giv")))
    world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    assert world.run(begin(world, request, browser)).state == "done"
    world.clock.advance(days=14)
    assert answer(world, begin(world, request, browser))[0] is Ended


@pytest.mark.attack("IN01", "AZ16")
def test_fifty_beginnings_in_one_browser_are_one_binding(world: World) -> None:
    request, browser = world.ask(world.service()), new_token("vk_giv")
    since = world.size()
    forms = world.together(*(begin(world, request, browser) for _ in range(25)))
    strangers = world.together(*(begin(world, request, new_token("vk_giv")) for _ in range(5)))
    assert {type(one) for one in forms} == {Form}
    assert {type(one) for one in strangers} == {Ended}
    changed = [
        row[0]
        for row in world.sql("SELECT body FROM ledger_entry WHERE seq >= :since", since=since)
        if f'"request:{request.id}"' in row[0]
    ]
    assert len(changed) == 1


@pytest.mark.attack("IN12")
def test_two_links_in_one_browser_stay_two_forms(world: World) -> None:
    """The second one is refused under the first one's token, so that the browser gets another token for it."""
    first, second = world.ask(world.service()), world.ask(world.service(title="Another shop"))
    browser, form = world.begin(first)
    with refused(world, Conflict, match="another form"):
        world.run(begin(world, second, browser))
    other, theirs = world.begin(second)
    assert (form.service_title, theirs.service_title) == ("Acme's new shop", "Another shop")
    with refused(world, Ended):
        world.run(begin(world, second, browser))
    with refused(world, NotFound, match="does not ask for that"):
        world.run(give(world, browser, world.sealed(theirs)))
    assert world.hand_in(other, world.sealed(theirs)).secret == theirs.items[0].secret


# -- terms ------------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P8")
def test_nothing_is_given_before_the_terms_are_accepted(world: World) -> None:
    version = publish(world, TERMS)
    request = world.ask(world.service())
    browser, form = world.begin(request)
    assert form.terms is not None
    assert (form.terms.version, form.terms.text, form.terms.accepted) == (version, TERMS, False)
    with refused(world, Conflict, match="accept our terms first"):
        world.run(give(world, browser, world.sealed(form)))
    for wrong in (version + 1, version - 1 or 1_000_000):
        with refused(world, Conflict, match="have changed"):
            world.run(accept(world, browser, wrong))
    with refused(world, NotFound):
        world.run(accept(world, new_token("vk_giv"), version))
    since = world.size()
    accepted = world.run(accept(world, browser, version))
    assert accepted.terms.accepted
    assert world.run(accept(world, browser, version)) == accepted
    assert world.ledger(since) == ["terms.accept ok"] * 2
    (body,) = world.sql("SELECT body FROM ledger_entry WHERE seq = :since", since=since)[0]
    (customer,) = world.sql("SELECT id FROM customer")[0]
    assert all(word in body for word in (f'"version":"{version}"', request.id, customer))
    assert world.sql("SELECT terms_version FROM request") == [(version,)]
    world.hand_in(browser, world.sealed(form))
    world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    with refused(world, Ended, match="finished"):
        world.run(accept(world, browser, version))


def test_terms_that_change_on_the_way_are_accepted_anew(embedded: World) -> None:
    publish(embedded, TERMS)
    service = embedded.service(days=80)
    embedded.clock.advance(days=25)
    second = publish(embedded, TERMS + " It is lent to nobody else.", 1)
    embedded.clock.advance(days=20)
    browser, form = embedded.begin(embedded.ask(service))
    embedded.run(accept(embedded, browser, 1))
    embedded.clock.advance(days=9)
    still = embedded.run(intake.look(embedded.vault, CUSTOMER, Look(browser=browser)))
    assert (still.terms.version, still.terms.accepted) == (1, True), "the second is only announced"
    embedded.clock.advance(days=2)
    now = embedded.run(intake.look(embedded.vault, CUSTOMER, Look(browser=browser)))
    assert (now.terms.version, now.terms.accepted) == (second, False)
    with refused(embedded, Conflict, match="accept our terms first"):
        embedded.run(give(embedded, browser, embedded.sealed(form)))
    embedded.run(accept(embedded, browser, second))
    assert embedded.hand_in(browser, embedded.sealed(form))


@pytest.mark.promise("P3")
def test_terms_are_accepted_while_the_vault_is_sealed(embedded: World) -> None:
    publish(embedded, TERMS)
    browser, form = embedded.begin(embedded.ask(embedded.service()))
    embedded.seal()
    embedded.run(accept(embedded, browser, 1))
    embedded.hand_in(browser, embedded.sealed(form))
    embedded.unseal()
    assert embedded.sql("SELECT state FROM secret") == [("checked",)]


def test_without_terms_there_is_nothing_to_accept(embedded: World) -> None:
    browser, form = embedded.begin(embedded.ask(embedded.service()))
    assert form.terms is None
    with refused(embedded, Conflict):
        embedded.run(accept(embedded, browser, 1))


# -- doubts -----------------------------------------------------------------------------------------------------------


@pytest.mark.promise("P7")
def test_what_looks_misplaced_is_kept_only_when_the_customer_says_that_it_belongs(world: World) -> None:
    browser, form = world.begin(world.ask(world.service()))
    doubtful = world.sealed(form, {**LOGIN, "password": SEED})
    with pytest.raises(Invalid, match="recovery words of a wallet") as caught:
        world.run(give(world, browser, doubtful))
    assert caught.value.pointer == "/sure"
    assert "sausage" not in str(caught.value)
    assert world.sql("SELECT state, envelope FROM secret") == [("refused", b"")]
    form = world.run(intake.look(world.vault, CUSTOMER, Look(browser=browser)))
    doubtful = world.sealed(form, {**LOGIN, "password": SEED}).model_copy(update={"sure": True})
    world.hand_in(browser, doubtful)
    assert world.sql("SELECT state FROM secret") == [("checked",)]


def test_the_customers_word_for_it_outlives_a_sealed_vault(embedded: World) -> None:
    answers = {}
    for sure in (False, True):
        browser, form = embedded.begin(embedded.ask(embedded.service(title=f"Sure: {sure}")))
        embedded.seal()
        doubtful = embedded.sealed(form, {**LOGIN, "password": SEED})
        receipt = embedded.hand_in(browser, doubtful.model_copy(update={"sure": sure}))
        answers[receipt.secret] = "checked" if sure else "refused"
        embedded.unseal()
    assert dict(embedded.sql("SELECT id, state FROM secret")) == answers


@pytest.mark.attack("IN12")
def test_every_message_of_a_form_needs_its_browser(embedded: World) -> None:
    _, form = embedded.begin(embedded.ask(embedded.service()))
    secret = form.items[0].secret
    for browser in ("", "vk_giv_x", new_token("vk_giv"), new_token("vk_ses")):
        for work in (
            intake.accept(embedded.vault, CUSTOMER, Accept(browser=browser, version=1)),
            intake.again(embedded.vault, CUSTOMER, Again(browser=browser, secret=secret)),
            intake.done(embedded.vault, CUSTOMER, Done(browser=browser)),
        ):
            with refused(embedded, NotFound, match="not open in this browser"):
                embedded.run(work)


# -- the language -----------------------------------------------------------------------------------------------------


def test_the_language_that_is_chosen_on_the_form_is_kept_for_its_customer(world: World) -> None:
    request = world.ask(world.service())
    browser, form = world.begin(request)
    assert form.language == "en"
    since = world.size()
    for _ in range(2):
        assert world.run(speak(world, browser, "de")).language == "de"
    assert world.ledger(since) == ["customer.correct ok"], "what is so already is not changed, nor recorded"
    assert world.sql("SELECT language FROM customer") == [("de",)]
    with refused(world, Invalid, match="the languages are"):
        world.run(speak(world, browser, "fr"))
    with refused(world, NotFound):
        world.run(speak(world, new_token("vk_giv"), "en"))
    world.seal()
    with refused(world, Sealed):
        world.run(speak(world, browser, "en"))
    assert world.run(intake.look(world.vault, CUSTOMER, Look(browser=browser))).language == "de"


@pytest.mark.attack("IN12")
def test_a_form_that_is_finished_changes_nobodys_language_any_more(world: World) -> None:
    browser, form = world.begin(world.ask(world.service()))
    world.hand_in(browser, world.sealed(form))
    world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    for language in ("de", "en"):
        with refused(world, Ended, match="this form is finished"):
            world.run(speak(world, browser, language))
    with refused(world, Ended, match="this form is finished"):
        world.perform(intake._spoken_to, CUSTOMER, browser_of(browser), "de")


def test_changing_the_language_again_and_again_ends_and_takes_nothing_from_giving(world: World) -> None:
    browser, form = world.begin(world.ask(world.service()))
    limit = LIMITS["speak"]
    for time in range(limit):
        world.run(speak(world, browser, ("de", "en")[time % 2]))
    since = world.size()
    with pytest.raises(TooMany):
        world.run(speak(world, browser, "de"))
    assert world.ledger(since) == ["attempt.limit ok"]
    assert world.run(speak(world, browser, "en")).language == "en", "which it is already"
    keys = [row.id.partition(":")[0] for row in world.sql("SELECT id FROM attempt")]
    assert "form" not in keys
    assert world.hand_in(browser, world.sealed(form)).secret == form.items[0].secret


def speak(world: World, browser: str, language: str) -> Any:
    return intake.speak(world.vault, CUSTOMER, Speak(browser=browser, language=language))
