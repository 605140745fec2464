"""The outbox: what must be told is told after the commit, at least once, and a broken mail server stops nobody."""

import re
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from tests.operations.mailing import PostOffice, about, deliver, post_office, text_of, use
from tests.refusals import answer
from tests.world import PASSWORD, World
from vault.crypto.tokens import new_token
from vault.errors import NotFound
from vault.ledger.note import open_note
from vault.model.messages import Begin, Form
from vault.operations.customers import intake, requests
from vault.operations.house import delivery, upkeep
from vault.operations.people import enrolling, hosting, sessions, staff, vouching
from vault.outbox.words import NOTICES
from vault.storage.unit import Unit, operation
from vault.values import Actor

CUSTOMER = Actor.nobody("198.51.100.9", "intake")
NOBODY = Actor.nobody("192.0.2.7", "page")
HOST = Actor.host()


@pytest.fixture
def post(request: pytest.FixtureRequest) -> Iterator[PostOffice]:
    """A post office, and the company of the test set up to send by it."""
    company = "world" if "world" in request.fixturenames else "embedded"
    with post_office(request.getfixturevalue(company)) as office:
        yield office


def asked(world: World) -> Any:
    return world.perform(requests.ask, world.actor("coordinator"), world.service().id, None, "mail")


def code_in(mail: EmailMessage) -> str:
    (code,) = re.findall(r"/give#([0-9A-Z-]+)$", text_of(mail), re.MULTILINE)
    return str(code)


def begun(world: World, code: str) -> Any:
    return intake.begin(world.vault, CUSTOMER, Begin(code=code, browser=new_token("vk_giv")))


@pytest.mark.promise("P9")
def test_a_customer_is_asked_by_mail_with_a_link_that_works_and_that_nobody_here_sees(
    embedded: World, post: PostOffice
) -> None:
    request = asked(embedded)
    assert (request.code, request.link, post.mails) == (None, None, [])
    assert embedded.sql("SELECT template, subject_id FROM outbox WHERE template <> 'service.ending'") == [
        ("request.asked", request.id)
    ]
    assert deliver(embedded) == 1
    (mail,) = post.mails
    assert (mail["To"], mail["From"]) == ("shop@acme.example", "vault@agency.example")
    text = text_of(mail)
    for said in ("Acme Garden Tools", "Green Lane Web", "Clara Cole", "Acme's new shop"):
        assert said in text
    assert f"{embedded.settings.base_url}/give#" in text
    assert isinstance(embedded.run(begun(embedded, code_in(mail))), Form)
    assert embedded.ledger()[-2:] == ["request.mint ok", "request.begin ok"]
    assert deliver(embedded) == 0, "told once"


def test_a_broken_mail_server_is_tried_again_and_blocks_nothing(world: World, post: PostOffice) -> None:
    request = asked(world)
    post.broken = True
    assert deliver(world) == 0
    assert about(world, request.id) == ("waiting", 1)
    assert deliver(world) == 0, "not at once again"
    assert about(world, request.id) == ("waiting", 1)
    _, secret, _, lease = world.lent()
    assert world.reveal(lease, secret), "everything else goes on"
    for tries in (2, 3, 4):
        world.clock.advance(seconds=2 ** (tries + 1))
        deliver(world)
        assert about(world, request.id) == ("waiting", tries)
    post.broken = False
    world.clock.advance(hours=1)
    deliver(world)
    assert world.sql("SELECT DISTINCT state FROM outbox WHERE template <> 'service.ending'") == [("settled",)]
    (mail,) = [one for one in post.mails if "asks you for access" in one["Subject"]]
    assert isinstance(world.run(begun(world, code_in(mail))), Form)


def test_a_mail_server_that_is_not_there_is_no_fault_of_anybody(embedded: World, post: PostOffice) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    use(embedded, port)
    request = asked(embedded)
    assert deliver(embedded) == 0
    assert about(embedded, request.id) == ("waiting", 1)


@pytest.mark.attack("IN01")
def test_only_the_newest_code_that_was_mailed_works(world: World, post: PostOffice) -> None:
    request = asked(world)
    deliver(world)
    world.sql("UPDATE outbox SET state = 'waiting'")  # as after a crash between mail and note
    deliver(world)
    first, second = (code_in(mail) for mail in post.mails)
    assert first != second
    assert answer(world, begun(world, first))[0] is NotFound
    again = world.perform(requests.reissue, world.actor("coordinator"), request.id, "mail")
    assert again.code is None
    assert answer(world, begun(world, second))[0] is NotFound
    deliver(world)
    assert isinstance(world.run(begun(world, code_in(post.mails[-1]))), Form)


def test_nobody_is_asked_for_what_is_settled_meanwhile(world: World, post: PostOffice) -> None:
    request = asked(world)
    world.perform(requests.cancel, world.actor("coordinator"), request.id)
    assert deliver(world) == 1
    assert post.mails == []
    assert about(world, request.id) == ("settled", 1)


@pytest.mark.promise("P5", "P8")
def test_the_customer_gets_the_certificate(embedded: World, post: PostOffice) -> None:
    service, secret, _, lease = embedded.lent()
    embedded.reveal(lease, secret)
    certificate = embedded.end(service)
    deliver(embedded)
    mail = post.mails[-1]
    assert mail["To"] == "shop@acme.example"
    (enclosed,) = mail.iter_attachments()
    assert enclosed.get_filename() == "certificate.txt"
    note = enclosed.get_payload(decode=True)
    assert isinstance(note, bytes)
    assert note.decode() == certificate.note
    assert open_note(note.decode(), certificate.key).startswith('{"certificate"')


@pytest.mark.promise("P9")
def test_no_table_and_no_log_holds_a_code_that_was_mailed(
    embedded: World, post: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    asked(embedded)
    deliver(embedded)
    code = code_in(post.mails[0])
    embedded.run(begun(embedded, code))
    for spelling in (code, code.replace("-", ""), code.lower()):
        ours = [record.getMessage() for record in caplog.records if not record.name.startswith("mail.")]
        assert spelling not in "".join(ours)
        for path in embedded.settings.data_dir.rglob("*"):
            if path.is_file():
                assert spelling.encode() not in path.read_bytes()


# -- to the staff ------------------------------------------------------------------------------------------------------


@operation("staff.roles")
def tell(unit: Unit, _actor: Actor, template: str, person_id: str) -> None:
    unit.notify(template, person_id)


def enrolment_code(mail: EmailMessage) -> str:
    (code,) = re.findall(r"/enrol#([0-9A-Z-]+)$", text_of(mail), re.MULTILINE)
    return str(code)


@pytest.mark.promise("P9")
def test_an_invitation_goes_to_the_person_alone_and_opens_the_enrolment(
    embedded: World, post: PostOffice
) -> None:
    invited = embedded.run(
        staff.add(embedded.vault, HOST, "Tara Tyler", "tara@agency.example", ["technician"])
    )
    assert (invited.deliver, invited.code, invited.link) == ("mail", None, None)
    assert deliver(embedded) == 1
    (mail,) = post.mails
    assert mail["To"] == "tara@agency.example"
    assert f"{embedded.settings.origin}/enrol#" in text_of(mail)
    code = enrolment_code(mail)
    assert all(code.encode() not in path.read_bytes() for path in embedded.settings.data_dir.glob("*.db*"))
    _, view = embedded.run(enrolling.begin(embedded.vault, NOBODY, code))
    assert (view.name, view.step) == ("Tara Tyler", "password")
    assert embedded.ledger()[-2:] == ["invitation.mint ok", "enrolment.begin ok"]
    embedded.sql("UPDATE outbox SET state = 'waiting'")  # as after a crash between mail and note
    assert deliver(embedded) == 1
    assert len(post.mails) == 1, "there is nothing to be mailed once it was opened"


@pytest.mark.attack("IN01")
def test_an_invitation_mailed_twice_opens_by_the_newest_code_and_not_after_its_days(
    embedded: World, post: PostOffice
) -> None:
    embedded.run(staff.add(embedded.vault, HOST, "Tara Tyler", "tara@agency.example", ["technician"]))
    deliver(embedded)
    embedded.sql("UPDATE outbox SET state = 'waiting'")
    deliver(embedded)
    first, second = (enrolment_code(mail) for mail in post.mails)
    assert answer(embedded, enrolling.begin(embedded.vault, NOBODY, first))[0] is NotFound
    embedded.clock.advance(days=7)
    assert answer(embedded, enrolling.begin(embedded.vault, NOBODY, second))[0] is NotFound
    embedded.run(upkeep.sweep(embedded.vault))
    assert embedded.sql("SELECT state, code_hash FROM invitation WHERE state <> 'done'") == [
        ("expired", None)
    ]
    assert "invitation.expire ok" in embedded.ledger()


@pytest.mark.parametrize("template", NOTICES)
def test_the_staff_are_told_in_words_that_ask_for_nothing(
    embedded: World, post: PostOffice, template: str
) -> None:
    embedded.perform(tell, HOST, template, embedded.member("technician").id)
    assert deliver(embedded) == 1
    (mail,) = post.mails
    text = text_of(mail)
    assert mail["To"] == "tom@agency.example"
    assert mail["Subject"].startswith(NOTICES[template].subject)
    for said in ("Hello Tom Tanner,", "Green Lane Web", "by telephone"):
        assert said in " ".join(text.split())
    assert "://" not in text, "a notice has no link at all"
    assert "{" not in text
    assert max(map(len, text.splitlines())) <= 120
    if template == "staff.roles":
        assert "You have now: technician." in " ".join(text.split())


def test_a_recovery_code_that_was_used_is_told(embedded: World, post: PostOffice) -> None:
    tom = embedded.member("technician")
    embedded.run(sessions.sign_in(embedded.vault, tom.view.mail, PASSWORD, tom.recovery[0], NOBODY))
    deliver(embedded)
    assert [mail["Subject"] for mail in post.mails] == [
        "A recovery code was used: the vault of Green Lane Web"
    ]


@pytest.mark.attack("AZ06")
def test_both_addresses_hear_that_one_took_the_other_s_place(embedded: World, post: PostOffice) -> None:
    embedded.run(hosting.move(embedded.vault, HOST, "tom@agency.example", "eve@elsewhere.example"))
    embedded.run(hosting.reset(embedded.vault, HOST, "eve@elsewhere.example"))
    deliver(embedded)
    assert [mail["To"] for mail in post.mails] == [
        "tom@agency.example",
        "eve@elsewhere.example",
        "eve@elsewhere.example",
        "eve@elsewhere.example",
    ]
    for mail in post.mails[:2]:
        text = text_of(mail)
        assert re.search(r"from +tom@agency.example\n +to +eve@elsewhere.example", text)


@pytest.mark.attack("DO10")
def test_nobody_s_mailbox_is_flooded_with_the_same(world: World, post: PostOffice) -> None:
    tom, clara = world.member("technician"), world.member("coordinator")
    for _ in range(12):
        world.perform(tell, HOST, "staff.factor", tom.id)
    world.perform(tell, HOST, "staff.password", tom.id)
    world.perform(tell, HOST, "staff.factor", clara.id)
    deliver(world)
    deliver(world)
    said = [(mail["To"], mail["Subject"].partition(":")[0]) for mail in post.mails]
    assert said.count((tom.view.mail, NOTICES["staff.factor"].subject)) == delivery.MOST_NOTICES == 5
    assert (tom.view.mail, NOTICES["staff.password"].subject) in said, "another thing is told all the same"
    assert (clara.view.mail, NOTICES["staff.factor"].subject) in said, "and so are others"
    assert world.sql("SELECT count(*) FROM outbox WHERE state = 'waiting'") == [(0,)]
    world.clock.advance(days=1, seconds=1)
    world.perform(tell, HOST, "staff.factor", tom.id)
    deliver(world)
    assert len(post.mails) == len(said) + 1
    world.run(upkeep.sweep(world.vault))
    assert world.sql("SELECT count(*) FROM outbox") == [(1,)]


def test_who_never_joined_gets_no_mail(embedded: World, post: PostOffice) -> None:
    embedded.sql("UPDATE outbox SET state = 'settled'")
    second = embedded.run(
        staff.add(embedded.vault, HOST, "Ben Bates", "ben@agency.example", ["administrator"], "hand")
    )
    ben = embedded.enrol(second)
    embedded.staff[ben.id] = ben
    ada = embedded.actor("administrator")
    change = embedded.run(
        vouching.invite(
            embedded.vault,
            ada,
            "Tara Tyler",
            "tara@agency.example",
            ["auditor"],
            embedded.presence("administrator"),
        )
    )
    embedded.perform(staff.disable, embedded.actor("administrator"), change.person.id)
    deliver(embedded)
    assert post.mails == []
