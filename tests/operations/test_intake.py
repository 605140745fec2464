"""The core's side of the form: a code once, one browser, sealed secrets in, nothing out."""

import json
from typing import Any

import pytest

from tests.refusals import answer, refused
from tests.world import LOGIN, World
from vault.crypto.encoding import b64, unb64
from vault.crypto.envelope import Context
from vault.crypto.sealing import seal
from vault.crypto.statement import check_statement
from vault.crypto.suites import suite_named
from vault.crypto.tokens import new_intake_code, new_token
from vault.errors import Conflict, Denied, Ended, Invalid, NotFound, TooMany
from vault.model.messages import Begin, Done, Form, Give, Look
from vault.model.views import RequestView
from vault.operations.customers import giving, intake, requests
from vault.operations.house import upkeep
from vault.operations.leases import checkout
from vault.operations.services import services
from vault.policy.attempts import LIMITS
from vault.values import Actor, new_id

CUSTOMER = Actor.nobody("198.51.100.9", "intake")
CARD = "4111 1111 1111 1111"


def begin(world: World, request: RequestView, browser: str | None = None, code: str | None = None) -> Any:
    given = request.code if code is None else code
    return intake.begin(
        world.vault, CUSTOMER, Begin(code=given or "", browser=browser or new_token("vk_giv"))
    )


def give(world: World, browser: str, message: Give) -> Any:
    return giving.give(world.vault, CUSTOMER, message.model_copy(update={"browser": browser}))


def states(world: World) -> list[tuple[str, int, int]]:
    rows = world.sql("SELECT state, version, asked_version FROM secret ORDER BY id")
    return [(row[0], row[1], row[2]) for row in rows]


@pytest.mark.promise("P3", "P8")
def test_a_customer_hands_over_and_reads_nothing_back(world: World) -> None:
    service = world.service()
    request = world.ask(service)
    since = world.size()
    browser, form = world.begin(request)
    assert (form.state, form.service, form.service_title) == ("started", service.id, service.title)
    assert form.customer_name == service.customer.name
    assert form.asked_by == world.member("coordinator").view.name
    (item,) = form.items
    assert (item.kind, item.version, item.given) == ("ssh-password", 1, False)
    assert item.because == "to install the shop on your server"
    receipt = world.hand_in(browser, world.sealed(form))
    assert receipt.secret == item.secret
    looked = world.run(intake.look(world.vault, CUSTOMER, Look(browser=browser)))
    done = world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    again = world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    assert (looked.items[0].given, done.state, again.state) == (True, "done", "done")
    told = ["request.begin", "secret.give", "secret.check", "secret.checked", "request.done", "request.done"]
    assert world.ledger(since) == [f"{entry} ok" for entry in told]
    assert states(world) == [("checked", 1, 1)]


@pytest.mark.promise("P3")
@pytest.mark.attack("IN17")
def test_nothing_that_was_given_comes_back_to_whoever_holds_the_form(embedded: World) -> None:
    browser, form = embedded.begin(embedded.ask(embedded.service()))
    receipt = embedded.hand_in(browser, embedded.sealed(form))
    looked = embedded.run(intake.look(embedded.vault, CUSTOMER, Look(browser=browser)))
    done = embedded.run(intake.done(embedded.vault, CUSTOMER, Done(browser=browser)))
    ((envelope,),) = embedded.sql("SELECT envelope FROM secret")
    for said in (view.model_dump_json() for view in (receipt, looked, done)):
        assert not any(LOGIN[name] in said for name in ("host", "password"))
        assert b64(bytes(envelope))[40:80] not in said


@pytest.mark.promise("P4")
@pytest.mark.attack("IN01", "IN02", "AZ16")
def test_a_code_opens_one_form_in_one_browser(world: World) -> None:
    request = world.ask(world.service())
    answers = world.together(*(begin(world, request) for _ in range(LIMITS["intake"])))
    forms = [one for one in answers if isinstance(one, Form)]
    assert len(forms) == 1
    assert {type(one) for one in answers if not isinstance(one, Form)} == {Ended}
    world.clock.advance(minutes=16)
    kind, sentence, _ = answer(world, begin(world, request))
    assert kind is Ended
    assert not any(word in sentence for word in (forms[0].service_title, forms[0].customer_name))
    assert answer(world, begin(world, request, code=new_intake_code()))[0] is NotFound


@pytest.mark.attack("IN02")
def test_codes_cannot_be_searched_from_one_address(world: World) -> None:
    request = world.ask(world.service())
    size = world.size()
    for _ in range(LIMITS["intake"]):
        assert answer(world, begin(world, request, code=new_intake_code()))[0] is NotFound
    assert answer(world, begin(world, request))[0] is TooMany, "also for the right code"
    elsewhere = Actor.nobody("203.0.113.77", "intake")
    assert world.ledger(size) == ["attempt.limit ok"], "a flood of nobody's refusals does not grow the ledger"
    assert sum(row[0] for row in world.sql("SELECT count FROM refusal_count")) == LIMITS["intake"]
    world.run(
        intake.begin(world.vault, elsewhere, Begin(code=request.code or "", browser=new_token("vk_giv")))
    )


@pytest.mark.promise("P4")
@pytest.mark.attack("IN01")
def test_a_code_that_is_cancelled_late_or_reissued_is_dead(embedded: World) -> None:
    service, coordinator = embedded.service(days=60), embedded.actor("coordinator")
    cancelled = embedded.ask(service)
    embedded.perform(requests.cancel, coordinator, cancelled.id)
    assert answer(embedded, begin(embedded, cancelled))[0] is NotFound

    first = embedded.ask(service)
    browser, form = embedded.begin(first)
    second = embedded.perform(requests.reissue, coordinator, first.id, "hand")
    assert second.code != first.code
    assert answer(embedded, begin(embedded, first))[0] is NotFound
    for dead in (
        intake.look(embedded.vault, CUSTOMER, Look(browser=browser)),
        give(embedded, browser, embedded.sealed(form)),
        intake.done(embedded.vault, CUSTOMER, Done(browser=browser)),
    ):
        assert answer(embedded, dead) == (NotFound, "this form is not open in this browser", "")

    browser, form = embedded.begin(second)
    embedded.clock.advance(days=6)
    embedded.perform(upkeep._tidy, Actor.core())
    embedded.clock.advance(days=8)
    for late in (
        intake.look(embedded.vault, CUSTOMER, Look(browser=browser)),
        give(embedded, browser, embedded.sealed(form)),
        intake.done(embedded.vault, CUSTOMER, Done(browser=browser)),
    ):
        assert answer(embedded, late)[0] is Ended
    coordinator = embedded.actor("coordinator")
    third = embedded.perform(requests.reissue, coordinator, second.id, "hand")
    assert third.expires_at > second.expires_at
    embedded.clock.advance(days=14)
    assert answer(embedded, begin(embedded, third))[0] is Ended
    embedded.run(upkeep.sweep(embedded.vault))
    assert answer(embedded, begin(embedded, third))[0] is NotFound
    assert embedded.read(services.service, embedded.actor("coordinator"), service.id).requests


@pytest.mark.promise("P4")
def test_when_the_service_ends_its_forms_end(embedded: World) -> None:
    service = embedded.service()
    waiting = embedded.ask(service, "ssh-key")
    browser, form = embedded.begin(embedded.ask(service))
    sealed = embedded.sealed(form)
    embedded.end(service)
    assert answer(embedded, begin(embedded, waiting))[0] is NotFound
    assert answer(embedded, give(embedded, browser, sealed))[0] is NotFound
    assert {row[0] for row in embedded.sql("SELECT state FROM request")} == {"cancelled"}


@pytest.mark.attack("CR11", "IN01")
def test_a_submission_again_changes_nothing_and_another_one_is_refused(world: World) -> None:
    request = world.ask(world.service())
    browser, form = world.begin(request)
    sealed = world.sealed(form)
    receipt = world.hand_in(browser, sealed)
    since = world.size()
    answers = world.together(*(give(world, browser, sealed) for _ in range(20)))
    assert answers == [receipt] * 20
    ((envelope,),) = world.sql("SELECT envelope FROM secret")
    assert bytes(envelope) == unb64(sealed.envelope)
    assert world.ledger(since) == ["secret.give ok"] * 20
    assert all(
        '"rows":[]' in row[0] for row in world.sql("SELECT body FROM ledger_entry WHERE seq >= :s", s=since)
    )
    with refused(world, Conflict, match="given already"):
        world.run(give(world, browser, world.sealed(form)))
    world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    world.reopen()
    assert world.run(give(world, browser, sealed)) == receipt, "also finished, and after a restart"
    with refused(world, Conflict):
        world.run(give(world, browser, world.sealed(form)))


@pytest.mark.attack("CR11")
def test_an_older_submission_does_not_come_back_after_the_secret_was_changed(embedded: World) -> None:
    service = embedded.service()
    first_browser, first_form = embedded.begin(embedded.ask(service))
    old = embedded.sealed(first_form)
    embedded.hand_in(first_browser, old)
    embedded.run(intake.done(embedded.vault, CUSTOMER, Done(browser=first_browser)))
    browser, form = embedded.begin(embedded.ask(service))
    assert form.items[0].version == 2
    new = embedded.sealed(form, {**LOGIN, "password": "changed"})
    embedded.hand_in(browser, new)
    for old_browser in (first_browser, browser):
        with refused(embedded, NotFound if old_browser == first_browser else Conflict):
            embedded.run(give(embedded, old_browser, old))
    lease = embedded.lease(embedded.ticket(service), form.items[0].secret)
    assert embedded.reveal(lease, form.items[0].secret) == "changed"


@pytest.mark.attack("CR11")
def test_a_version_that_was_not_asked_for_is_refused(embedded: World) -> None:
    browser, form = embedded.begin(embedded.ask(embedded.service()))
    sealed = embedded.sealed(form)
    for version in (2, 3, 1_000_000):
        with refused(embedded, Conflict, match="out of date"):
            embedded.run(give(embedded, browser, sealed.model_copy(update={"version": version})))
    assert embedded.hand_in(browser, sealed).version == 1


@pytest.mark.promise("P3")
@pytest.mark.attack("IN12")
def test_a_form_delivers_into_its_own_request_and_nowhere_else(world: World) -> None:
    acme = world.service()
    globex = world.service(world.customer("Globex", "it@globex.example"), "Globex' own shop")
    mine_browser, mine = world.begin(world.ask(acme))
    theirs_browser, theirs = world.begin(world.ask(globex))
    for secret in (theirs.items[0].secret, new_id("sec"), "", "\0", "no id at all", "' OR 1=1 --"):
        with refused(world, NotFound, match="does not ask for that|no such thing"):
            world.run(give(world, mine_browser, world.sealed(mine).model_copy(update={"secret": secret})))
    with refused(world, NotFound):
        world.run(give(world, new_token("vk_giv"), world.sealed(mine)))
    for browser in ("", "vk_giv_x", new_token("vk_ses"), "\ud800"):
        with refused(world, NotFound):
            world.run(give(world, browser, world.sealed(mine)))
    # sealed for the other's row, and sent to mine: it is taken, does not open, and is asked for again
    foreign = world.sealed(theirs).model_copy(update={"secret": mine.items[0].secret})
    with pytest.raises(Invalid, match="does not open"):
        world.run(give(world, mine_browser, foreign))
    world.hand_in(theirs_browser, world.sealed(theirs))
    by_id = dict(world.sql("SELECT id, state FROM secret"))
    assert by_id == {mine.items[0].secret: "refused", theirs.items[0].secret: "checked"}


@pytest.mark.parametrize(
    "envelope",
    [
        "",
        "AAAA",
        "not base64!",
        "VktFMQ",
        "VktFMQI" + "A" * 4000,
        b64(b"VKE1\x02" + b"\0" * 200),
        "é",
        "A" * 5,
    ],
)
def test_garbage_where_an_envelope_should_be_is_refused(embedded: World, envelope: str) -> None:
    browser, form = embedded.begin(embedded.ask(embedded.service()))
    sealed = embedded.sealed(form)
    bad = sealed.model_copy(update={"envelope": envelope})
    before = embedded.size()
    kind, sentence, _ = answer(embedded, give(embedded, browser, bad))
    assert kind is Invalid
    assert not envelope or envelope not in sentence
    assert embedded.size() - before in {0, 3}, "refused at the door, or taken, opened and purged"
    if embedded.size() > before:
        assert states(embedded) == [("refused", 1, 2)]
    form = embedded.run(intake.look(embedded.vault, CUSTOMER, Look(browser=browser)))
    assert embedded.hand_in(browser, embedded.sealed(form))


def sealed_raw(world: World, form: Form, payload: bytes) -> Give:
    """Whatever bytes, sealed for the form's first item: a customer's program need not be ours."""
    public = bytes.fromhex(world.settings.statement_key_place.read_text().strip())
    statement = check_statement(public, form.statement, form.statement_signature)
    asked = form.items[0]
    context = Context(form.deployment, form.service, statement.key, asked.secret, asked.version, asked.kind)
    envelope = seal(payload, suite_named("xwing"), statement.public_key("xwing"), context)
    return Give(
        browser="", secret=asked.secret, version=asked.version, envelope=b64(envelope), sealed_by="client"
    )


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"fields":{},"v":1}',
        b'{"fields":{"host":1},"v":1}',
        b'{"fields":{"host":"a"},"v":2}',
        b"[" * 100_000,
        json.dumps({"fields": {**LOGIN, "registrar_code": "x"}, "v": 1}).encode(),
        json.dumps({"fields": {**LOGIN, "port": "99999"}, "v": 1}).encode(),
        json.dumps({"fields": {**LOGIN, "password": "\ud800"}, "v": 1}).encode(),
        json.dumps({"fields": {**LOGIN, "password": CARD}, "v": 1}).encode(),
        json.dumps({"fields": {**LOGIN, "host_key": "x"}, "v": 1}).encode(),
    ],
)
def test_what_was_sealed_and_is_no_such_secret_is_purged_and_asked_for_again(
    embedded: World, payload: bytes
) -> None:
    browser, form = embedded.begin(embedded.ask(embedded.service()))
    since = embedded.size()
    bad = sealed_raw(embedded, form, payload)
    with pytest.raises(Invalid) as caught:
        embedded.run(give(embedded, browser, bad))
    assert CARD not in str(caught.value)
    assert embedded.ledger(since) == ["secret.give ok", "secret.check ok", "secret.checked ok"]
    assert states(embedded) == [("refused", 1, 2)]
    assert embedded.sql("SELECT envelope, suite, given_at FROM secret") == [(b"", "", None)]
    with refused(embedded, Conflict, match="out of date"):
        embedded.run(give(embedded, browser, bad))
    form = embedded.run(intake.look(embedded.vault, CUSTOMER, Look(browser=browser)))
    assert [(item.version, item.given) for item in form.items] == [(2, False)]
    with refused(embedded, Conflict, match="not given yet"):
        embedded.run(intake.done(embedded.vault, CUSTOMER, Done(browser=browser)))
    embedded.hand_in(browser, embedded.sealed(form))
    assert states(embedded) == [("checked", 2, 2)]


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_a_card_number_that_was_slipped_in_is_gone_from_every_file(embedded: World) -> None:
    """Its envelope, which is all that ever arrived: found in the files before the check, and not after."""
    browser, form = embedded.begin(embedded.ask(embedded.service()))
    embedded.seal()
    slipped = embedded.sealed(form, {**LOGIN, "password": CARD})
    embedded.hand_in(browser, slipped)
    traces = [unb64(slipped.envelope)[at : at + 24] for at in (8, 600, -40)]
    assert all(any(trace in raw for raw in files(embedded)) for trace in traces), "the positive control"
    embedded.unseal()
    assert states(embedded) == [("refused", 1, 2)]
    embedded.run(upkeep.sweep(embedded.vault))
    assert not [trace for trace in traces for raw in files(embedded) if trace in raw]
    assert not [
        raw for raw in files(embedded) if CARD.encode() in raw or CARD.replace(" ", "").encode() in raw
    ]


def files(world: World) -> list[bytes]:
    found = [path.read_bytes() for path in world.settings.data_dir.rglob("*") if path.is_file()]
    assert len(found) >= 3
    return found


@pytest.mark.promise("P3")
def test_the_form_works_while_the_vault_is_sealed_and_is_checked_after(world: World) -> None:
    service, other = world.service(), world.service(title="Another shop")
    good, bad, late = world.ask(service), world.ask(other), world.ask(service, "ssh-key")
    world.seal()
    since = world.size()
    for request, fields in ((good, LOGIN), (bad, {**LOGIN, "password": f"pay with {CARD}"})):
        browser, form = world.begin(request)
        world.hand_in(browser, world.sealed(form, fields))
        world.run(intake.done(world.vault, CUSTOMER, Done(browser=browser)))
    assert {state for state, *_ in states(world)} == {"given", "awaited"}
    assert world.ledger(since) == ["request.begin ok", "secret.give ok", "request.done ok"] * 2
    world.unseal()
    assert sorted(state for state, *_ in states(world)) == ["awaited", "checked", "refused"]
    rows = world.sql("SELECT state FROM request WHERE service_id = :id ORDER BY created_at", id=other.id)
    assert sorted(row[0] for row in rows) == ["asked", "done"], (
        "the customer had gone, so there is a new request"
    )
    assert world.begin(late)


@pytest.mark.promise("P7")
def test_a_kind_that_the_type_does_not_ask_for_is_never_asked(embedded: World) -> None:
    service, coordinator = embedded.service(), embedded.actor("coordinator")
    for kinds in (["registrar"], ["payment-provider"], ["ssh-password", "ftp"], [], [""], ["ssh-password\0"]):
        with refused(embedded, Denied, "request.ask", match="does not ask for that kind"):
            embedded.perform(requests.ask, coordinator, service.id, kinds, "hand")
    _, form = embedded.begin(embedded.ask(service))
    assert [item.kind for item in form.items] == ["ssh-password"], "without a choice, only what is needed"


@pytest.mark.parametrize("suite", ["xwing", "x25519"])
def test_a_secret_is_kept_byte_for_byte(embedded: World, suite: str) -> None:
    odd = {
        "host": "müller-shop.example",
        "port": "02200"[1:],
        "username": "deploy+é",
        "password": " \ttrailing\u00a0spaces, e\u0301 not é, 🗝️, \u202e and \x07 \\n \" ' <b> ",
    }
    service = embedded.service()
    secret = embedded.give(service, odd, suite=suite)
    lease = embedded.lease(embedded.ticket(service), secret)
    assert {name: embedded.reveal(lease, secret, name) for name in odd} == odd
    assert embedded.sql("SELECT suite FROM secret") == [(suite,)]


@pytest.mark.promise("P8")
def test_an_unfinished_form_is_not_done(embedded: World) -> None:
    service = embedded.service()
    browser, form = embedded.begin(embedded.ask(service, "ssh-password", "ssh-key"))
    with refused(embedded, Conflict, match="not given yet"):
        embedded.run(intake.done(embedded.vault, CUSTOMER, Done(browser=browser)))
    at = [item.kind for item in form.items].index("ssh-password")
    embedded.hand_in(browser, embedded.sealed(form, item=at))
    with refused(embedded, Conflict):
        embedded.run(intake.done(embedded.vault, CUSTOMER, Done(browser=browser)))
    lease = embedded.lease(embedded.ticket(service), form.items[at].secret)
    assert embedded.perform(
        checkout.reveal, embedded.actor("technician"), lease.id, form.items[at].secret, "host"
    )
