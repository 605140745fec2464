"""Everything that the ledger can tell of, once, in rooms: what is entrusted to the vault, and who the staff are."""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.approvals import allowed, approved, customer_refuses, no, owner, put, waits
from tests.authenticator import SoftPasskey
from tests.hashes import dearer_hashes
from tests.logins import GOOD
from tests.operations.necessities import WITH_REGISTRAR, approve
from tests.operations.playing_desk import play_desk
from tests.operations.playing_glass import play_glass
from tests.operations.visiting import NOBODY, ask, code_of, come
from tests.world import CATALOGUE, LOGIN, PASSWORD, Member, World
from vault.crypto.tokens import new_intake_code, new_user_code
from vault.errors import ClockInDoubt, NotFound, NotSignedIn, ProofNeeded, Tampered, TooMany, VaultError
from vault.model.messages import Accept, Again, Done, Speak
from vault.model.views import ChangeView, InvitationView, ServiceView
from vault.operations import presence
from vault.operations.customers import intake, mine, own_passkeys, records, requests, terms, visits
from vault.operations.house import audit, delivery, operator, scanning, upkeep
from vault.operations.leases import checkout, host_keys
from vault.operations.people import (
    account,
    device,
    enrolling,
    hosting,
    refreshing,
    sessions,
    staff,
    tokens,
    vouching,
)
from vault.operations.presence import Presence
from vault.operations.services import catalogue, necessity, services, tickets
from vault.policy.attempts import LIMITS, WINDOW
from vault.values import MINUTE, Actor

HOST = Actor.host()
CUSTOMER = Actor.nobody("198.51.100.9", "intake")
PAGE = Actor.nobody("192.0.2.7", "page")
LAPTOP = Actor.nobody("198.51.100.4", "cli")
ADA = "administrator"
SERVER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHFa+U2XZR6fYFwFZ0PWvhnMTcM7dMeXJRGSbJzLFuOe"


# -- what is entrusted ------------------------------------------------------------------------------------------------


def play_service(world: World) -> None:
    """What happens around services: given, lent, broken, damaged, late, in doubt, ended."""
    service, secret, ticket, lease = world.lent()
    _lend_and_give_back(world, service, secret, lease)
    world.perform(tickets.unassign, world.actor("coordinator"), ticket.id, world.member("technician").id)
    world.perform(tickets.close, world.actor("coordinator"), ticket.id)
    world.bundle()
    world.run(scanning.scan(world.vault))
    _doubt_the_clock(world)
    _move_the_end(world, service)
    _take_a_yes(world)
    for days in (6, 6, 4):
        world.clock.advance(days=days)
        world.run(upkeep.sweep(world.vault))
    play_glass(world)
    play_desk(world)
    world.perform(sessions.sign_out, world.actor("auditor"))
    world.run(catalogue.apply(world.vault, HOST, CATALOGUE.replace("= 240", "= 120")))
    world.run(
        terms.publish(world.vault, HOST, "What you hand over is deleted when it is no longer needed.", 0)
    )
    _hand_over(world)
    world.perform(staff.disable, world.actor(ADA), world.member("technician").id)
    world.end(service)


def _lend_and_give_back(world: World, service: Any, secret: str, lease: Any) -> None:
    vault, technician, coordinator = world.vault, world.actor("technician"), world.actor("coordinator")
    world.reveal(lease, secret)
    world.perform(host_keys.meet, technician, lease.id, secret, SERVER_KEY)
    world.run(host_keys.known(vault, technician, lease.id, secret))
    again = world.run(checkout.report_broken(vault, technician, lease.id, secret, "the server says no"))
    browser, form = world.begin(world.perform(requests.reissue, coordinator, again.id, "hand"))
    world.seal()
    world.hand_in(browser, world.sealed(form, {**LOGIN, "port": "no port"}))
    world.run(intake.done(vault, CUSTOMER, Done(browser=browser)))
    world.unseal()
    asked = world.perform(requests.ask, coordinator, service.id, ["ssh-key"], "mail")
    try_all_mail(world)
    world.perform(requests.cancel, coordinator, asked.id)
    world.perform(checkout.check_in, technician, lease.id)
    other = world.service(title="Another shop", days=3)
    kept = world.give(other)
    open_ticket = world.ticket(other)
    world.perform(checkout.revoke, coordinator, world.lease(open_ticket, kept).id)
    left = world.lease(open_ticket, kept)
    world.sql("UPDATE secret SET envelope = :junk WHERE id = :id", junk=b"VKE1", id=kept)
    with pytest.raises(Tampered):
        world.reveal(left, kept)
    world.run(_damage(world, kept, other.id))
    world.ask(service)


def _hand_over(world: World) -> None:
    """A customer with the wrong PIN, then one with the right one, who accepts the terms and gives something twice."""
    service = world.service(title="A third shop")
    request = world.ask(service, pin=True)
    wrong = f"{(int(request.pin or 0) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(VaultError):
            world.begin(request.model_copy(update={"pin": wrong}))
    browser, form = world.begin(world.ask(service, pin=True))
    world.run(intake.accept(world.vault, CUSTOMER, Accept(browser=browser, version=1)))
    world.run(intake.speak(world.vault, CUSTOMER, Speak(browser=browser, language="de")))
    given = world.hand_in(browser, world.sealed(form).model_copy(update={"sure": True}))
    world.run(intake.again(world.vault, CUSTOMER, Again(browser=browser, secret=given.secret)))


async def _damage(world: World, secret: str, service: str) -> None:
    """What a reveal notes when what is stored does not open."""
    from vault.operations.vault import _damaged

    await world.vault.perform(_damaged, Actor.core(), service, secret)


def _move_the_end(world: World, service: ServiceView) -> None:
    """The host asks for a registrar's login, an administrator says yes; one service goes on, another one lapses."""
    world.run(catalogue.apply(world.vault, HOST, WITH_REGISTRAR))
    approve(world)
    world.perform(necessity.revoke, world.actor(ADA), "installation", "registrar")
    approve(world)
    clara, later = world.actor("coordinator"), service.ends_at + timedelta(days=5)
    world.run(services.prolong(world.vault, clara, service.id, later, world.presence("coordinator")))
    moving = world.service(title="A domain that moves")
    secret = world.give(moving, GOOD["registrar"], "registrar")
    lease = allowed(world, world.lease(world.ticket(moving), secret))
    tom, proof = world.actor("technician"), world.presence("technician")
    world.run(checkout.open_field(world.vault, tom, lease.id, secret, "password", proof))
    proof = world.presence("technician")
    world.run(checkout.open_field(world.vault, tom, lease.id, secret, "password", proof, "use"))


def _take_a_yes(world: World) -> None:
    """Leases that wait: a coordinator says yes and no, and so does a customer."""
    service, _, lease = waits(world)
    approved(world, lease)
    _, _, other = waits(world)
    no(world, other)
    _, _, theirs = waits(world, "customer")
    world.run(customer_refuses(world, owner(world, theirs), theirs))
    put(world, WITH_REGISTRAR)
    world.end(service)


def _doubt_the_clock(world: World) -> None:
    auditor = world.actor("auditor")
    world.clock.jump(hours=1)
    with pytest.raises(ClockInDoubt):
        world.perform(audit._exported, auditor)
    world.run(operator.confirm_clock(world.vault))
    world.run(upkeep.sweep(world.vault))


# -- what customers do on their own page ------------------------------------------------------------------------------


def play_customer(world: World) -> None:
    """A wrong code, then everything that the page offers, and out again."""
    service = world.service(world.customer("Own Page", "own@customers.example"), "A shop of their own")
    secret = world.give(service)
    with pytest.raises(NotSignedIn):
        world.run(
            visits.start(world.vault, NOBODY, ask(world, code_of(world, service.customer.id)), "?" * 10)
        )
    own = come(world, service.customer.id).actor
    world.perform(mine.pause, own, service.id)
    world.perform(mine.resume, own, service.id)
    world.perform(mine.replace, own, secret)
    world.run(mine.withdraw(world.vault, own, secret))
    world.run(records.records(world.vault, own, service.id))
    _passkey_of(world, own)
    world.run(mine.correct(world.vault, own, name="Own Pages", mail="pages@customers.example"))
    world.run(mine.end(world.vault, own, service.id))
    world.perform(visits.leave, own)


def _passkey_of(world: World, own: Actor) -> None:
    asked = world.run(own_passkeys.ask(world.vault, own))
    key = SoftPasskey(world.settings.origin)
    world.perform(own_passkeys.add, own, asked["challenge"], key.create(asked["passkey"]), "A key")
    (held,) = world.read(own_passkeys.own, own)
    world.perform(own_passkeys.remove, own, held.id)


# -- who the staff are ------------------------------------------------------------------------------------------------


def play_people(world: World) -> None:
    """What happens around people: they join, sign in, look after their account, and are changed by one and by two."""
    rooms = (_join, _sign_in, _command_line, _account, _on_the_host, _by_two_people, _not_decided, _guess)
    for room in rooms:
        world.clock.advance(
            minutes=WINDOW / MINUTE
        )  # nobody reaches a limit by having been in the room before
        room(world)
    try_all_mail(world)
    world.clock.advance(days=7)
    world.run(upkeep.sweep(world.vault))


def _invited(world: World, name: str, *roles: str) -> InvitationView:
    """Somebody whom the host has added, with the invitation at hand."""
    mail = f"{name.partition(' ')[0].lower()}@agency.example"
    return world.run(staff.add(world.vault, HOST, name, mail, roles, "hand"))


def _joined(world: World, name: str, *roles: str) -> Member:
    """Somebody whom the host has added and who has enrolled; they are found by their name from then on."""
    world.staff[name] = world.enrol(_invited(world, name, *roles))
    return world.staff[name]


def _join(world: World) -> None:
    """One by an authenticator, one by a passkey, one who never does."""
    vault = world.vault
    _joined(world, "Tara Tyler", "technician", "coordinator")
    invited = _invited(world, "Petra Page", "technician")
    browser, _ = world.run(enrolling.begin(vault, PAGE, invited.code or ""))
    world.run(enrolling.choose_password(vault, PAGE, browser, PASSWORD))
    asked = world.run(enrolling.ask_passkey(vault, PAGE, browser))
    key = SoftPasskey(world.settings.origin)
    made = key.create(asked["passkey"])
    world.run(enrolling.add_passkey(vault, PAGE, browser, asked["challenge"], made, "A key"))
    asked = world.run(sessions.ask_passkey(vault, PAGE))
    answer = key.get(asked["passkey"])
    started = world.run(sessions.sign_in_with_passkey(vault, asked["challenge"], answer, PAGE))
    petra = world.run(sessions.resolve(vault, started.token, PAGE.source, "page"))
    world.perform(account.sign_out_everywhere, petra)
    world.run(staff.add(vault, HOST, "Nora Never", "nora@agency.example", ["auditor"]))
    try_all_mail(world)


def try_all_mail(world: World) -> None:
    """Try each mail that waits once: there is no server, so a round ends there, and what was tried is in the way."""
    untried = "SELECT count(*) FROM outbox WHERE state = 'waiting' AND tries = 0 AND next_at <= :now"
    for _ in range(world.sql(untried, now=world.clock.wall())[0][0]):
        world.run(delivery.deliver(world.vault))
        world.sql("UPDATE outbox SET state = 'settled' WHERE tries > 0")


def _sign_in(world: World) -> None:
    vault, tara = world.vault, world.member("Tara Tyler")
    with pytest.raises(NotSignedIn):
        world.run(sessions.sign_in(vault, tara.view.mail, "not " + PASSWORD, world.code(tara), PAGE))
    with dearer_hashes(world):
        elsewhere = world.run(sessions.sign_in(vault, tara.view.mail, PASSWORD, tara.recovery[0], PAGE))
    session = world.run(sessions.resolve(vault, elsewhere.token, PAGE.source, "page")).session
    world.perform(sessions.end_one, world.actor(tara), session)


def _command_line(world: World) -> None:
    """One is refused, one is let in, renews, and renews with what was used."""
    vault, tara = world.vault, world.member("Tara Tyler")
    actor = world.actor(tara)
    refused = world.run(device.ask(vault, LAPTOP))
    world.run(device.answer(vault, actor, refused.user_code, False))
    wanted = world.run(device.ask(vault, LAPTOP))
    assert world.run(device.collect(vault, LAPTOP, wanted.device_code)) == "authorization_pending"
    world.run(device.answer(vault, actor, wanted.user_code, True, world.presence(tara)))
    first = world.run(device.collect(vault, LAPTOP, wanted.device_code))
    assert not isinstance(first, str)
    assert not isinstance(world.run(refreshing.refresh(vault, LAPTOP, first.refresh)), str)
    assert world.run(refreshing.refresh(vault, LAPTOP, first.refresh)) == "invalid_grant"


def _account(world: World) -> None:
    """Proved by code, by passkey and in another browser."""
    vault, tara = world.vault, world.member("Tara Tyler")
    key = SoftPasskey(world.settings.origin)
    asked = world.run(account.ask_passkey(vault, world.actor(tara), world.presence(tara)))
    made = key.create(asked["passkey"])
    world.run(account.add_passkey(vault, world.actor(tara), asked["challenge"], made, "A key"))
    with pytest.raises(ProofNeeded) as needed:
        world.run(account.renew_recovery(vault, world.actor(tara)))
    given = Presence("", needed.value.challenge["id"], key.get(needed.value.challenge["passkey"]))
    tara.recovery = world.run(account.renew_recovery(vault, world.actor(tara), given))
    with pytest.raises(ProofNeeded) as needed:
        world.run(tokens.make(vault, world.actor(tara), "helpdesk", ["services:read"]))
    challenge = needed.value.challenge["id"]
    world.run(presence.prove_here(vault, world.actor(tara), challenge, world.presence(tara)))
    given = Presence(challenge=challenge)
    _, token = world.run(
        tokens.make(vault, world.actor(tara), "helpdesk", ["services:read"], tokens.USUAL_DAYS, given)
    )
    world.perform(tokens.end, world.actor(tara), token.id)
    held = world.read(account.account, world.actor(tara)).factors
    (passkey,) = (factor.id for factor in held if factor.kind == "passkey")
    world.run(account.remove_factor(vault, world.actor(tara), passkey, world.presence(tara)))
    offered = world.run(account.ask_totp(vault, world.actor(tara), world.presence(tara)))
    actor = world.actor(tara)
    tara.seed = base64.b32decode(parse_qs(urlsplit(offered.uri).query)["secret"][0])
    world.run(account.confirm_totp(vault, actor, world.code(tara)))
    world.run(account.change_password(vault, world.actor(tara), PASSWORD, world.presence(tara)))


# -- changes of accounts ----------------------------------------------------------------------------------------------


def _asked(world: World, ask: Any, *args: Any, by: str = ADA) -> ChangeView:
    actor = world.actor(by)
    view: ChangeView = world.run(ask(world.vault, actor, *args, world.presence(by)))
    return view


def _vouched(world: World, change: ChangeView, by: str) -> None:
    actor = world.actor(by)
    world.run(vouching.vouch(world.vault, actor, change.id, world.presence(by)))


def _on_the_host(world: World) -> None:
    """The second administrator has gone, and what waited for them is done by the host instead."""
    vault = world.vault
    rosa, rick = _joined(world, "Rosa Rest", "technician"), _joined(world, "Rick Rush", "technician")
    mia = _invited(world, "Mia Moved", "technician").person
    ben = _joined(world, "Ben Brook", "administrator")
    _asked(world, vouching.ask_roles, rosa.id, ["coordinator"])
    _asked(world, vouching.ask_reset, rick.id)
    _asked(world, vouching.ask_mail, mia.id, "mia.else@agency.example")
    _asked(world, vouching.invite, "Nat Next", "nat@agency.example", ["auditor"], by="Ben Brook")
    world.perform(staff.disable, HOST, ben.id)
    world.run(hosting.put_roles(vault, HOST, rosa.view.mail, ["auditor"]))
    world.run(hosting.reset(vault, HOST, rick.view.mail))
    world.run(hosting.move(vault, HOST, mia.mail, "mia.moved@agency.example"))


def _by_two_people(world: World) -> None:
    """Each kind is asked by one and vouched for by another; one waits when another one of the same account is done."""
    tim = _joined(world, "Tim Trade", "technician")
    cora = _joined(world, "Cora Clear", "administrator").view.name
    _vouched(world, _asked(world, vouching.invite, "Jo Join", "jo@agency.example", ["coordinator"]), by=cora)
    _asked(world, vouching.ask_mail, tim.id, "tim.first@agency.example")
    _vouched(world, _asked(world, vouching.ask_roles, tim.id, ["coordinator", "technician"]), by=cora)
    _vouched(world, _asked(world, vouching.ask_mail, tim.id, "tim.second@agency.example"), by=cora)
    _vouched(world, _asked(world, vouching.ask_reset, tim.id), by=cora)
    _asked(world, vouching.ask_reset, tim.id)
    world.perform(vouching.drop_role, world.actor(ADA), tim.id, "coordinator")


def _not_decided(world: World) -> None:
    """One is refused, one withdrawn, one forgotten."""
    refused, withdrawn, _forgotten = (
        _asked(world, vouching.invite, name, f"{name[:2].lower()}@agency.example", ["technician"])
        for name in ("Al Asked", "Bo Both", "Cy Calm")
    )
    world.perform(vouching.refuse, world.actor("Cora Clear"), refused.id)
    world.perform(vouching.withdraw, world.actor(ADA), withdrawn.id)


def _guess(world: World) -> None:
    """Once too often, by nobody in particular and by somebody."""
    actor = world.actor("Tara Tyler")
    for wrong in (
        lambda: enrolling.begin(world.vault, PAGE, new_intake_code()),
        lambda: device.look(world.vault, actor, new_user_code()),
    ):
        for at in range(LIMITS["enrol"] + 2):
            expected: type[VaultError] = NotFound if at < LIMITS["enrol"] else TooMany
            with pytest.raises(expected):
                world.run(wrong())
