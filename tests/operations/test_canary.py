"""P9: what was given is nowhere, in no encoding; nor what was typed where it did not belong."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from cli.demo.traces import encodings_of
from tests.world import LOGIN, PASSWORD, World
from vault.crypto.tokens import new_token
from vault.errors import VaultError
from vault.model.messages import Begin, Give, Look
from vault.model.tables import TABLES
from vault.operations import presence
from vault.operations.customers import customers, giving, intake, requests
from vault.operations.house import audit, destruction, upkeep
from vault.operations.leases import checkout
from vault.operations.people import account, device, enrolling, sessions, staff, tokens
from vault.operations.presence import NOTHING, Presence
from vault.operations.services import catalogue, services, tickets
from vault.storage import keyring
from vault.storage.database import open_engine
from vault.values import Actor, new_id, to_datetime

CUSTOMER = Actor.nobody("198.51.100.9", "intake")


def canary() -> str:
    return "Kn" + "".join(secrets.choice("abcdefghijkmnopqrstuvwxyzABCDEFGH") for _ in range(30))


def everything_stored(world: World) -> Iterator[tuple[str, bytes]]:
    """Each column of each table, and each file as it lies there."""
    for url in (world.settings.vault_url, world.settings.keyring_place):
        engine = open_engine(url, reader=True)
        with engine.connect() as connection:
            tables: list[Any] = [table.table() for table in TABLES.values()]
            if url == world.settings.keyring_place:
                tables = [keyring.SEED, keyring.TOMBSTONE, keyring.SUBJECT, keyring.FACT]
            for table in tables:
                for row in connection.execute(select(table)).mappings():
                    for name, value in row.items():
                        raw = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                        yield f"{table.name}.{name}", raw
        engine.dispose()
    for path in world.settings.data_dir.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()


def finds(world: World, text: str) -> set[str]:
    """Where it is, in any encoding."""
    ways = [needle for needles in encodings_of(text).values() for needle in needles]
    return {place for place, raw in everything_stored(world) if any(way in raw for way in ways)}


@pytest.mark.promise("P9")
@pytest.mark.attack("AU05", "DP01")
def test_what_was_given_is_in_no_column_no_file_and_no_log_line(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = {"host": f"{canary().lower()}.example", "username": canary(), "password": canary(), "port": "22"}
    name = canary()
    service = world.service(world.customer(name=name))
    secret = world.give(service, given)
    lease = world.lease(world.ticket(service), secret)
    assert {field: world.reveal(lease, secret, field) for field in given} == given
    again = world.run(
        checkout.report_broken(world.vault, world.actor("technician"), lease.id, secret, "it is broken")
    )
    handed = world.perform(requests.reissue, world.actor("coordinator"), again.id, "hand")
    browser, form = world.begin(handed)
    bad = canary()
    with pytest.raises(VaultError) as refusal:
        world.hand_in(browser, world.sealed(form, {**given, "password": bad, "port": "no port"}))
    assert finds(world, name) >= {"customer.name"}, "the control: names are readable, and found"
    bundle = world.bundle()
    for value in (given["host"], given["username"], given["password"], bad, PASSWORD, handed.code, browser):
        assert value
        assert finds(world, value) == set()
        ways = [needle for needles in encodings_of(value).values() for needle in needles]
        assert not [way for way in ways if way in bundle or way in caplog.text.encode()]
    assert bad not in str(refusal.value)
    for member in world.staff.values():
        assert not finds(world, member.seed.hex())
        assert not member.token or not finds(world, member.token)
    world.end(service)
    assert finds(world, given["password"]) == set()


def typed_wrong(
    world: World, lease: Any, ticket: Any, secret: str, browser: str, form: Any
) -> list[Callable[[str], Awaitable[Any]]]:
    """Every place of the core where somebody can type a secret by mistake and is refused."""
    vault = world.vault
    tom, clara = world.actor("technician"), world.actor("coordinator")
    axel, host = world.actor("auditor"), Actor.host()
    soon = to_datetime(world.clock.wall() + 3_600_000_000)
    nobody = Actor.nobody("192.0.2.66", "api")
    why = "install the shop as ordered"
    sealed = world.sealed(form).model_copy(update={"browser": browser})
    return [
        lambda c: vault.perform(checkout.reveal, tom, c, secret, "password"),
        lambda c: vault.perform(checkout.reveal, tom, lease.id, c, "password"),
        lambda c: vault.perform(checkout.reveal, tom, lease.id, secret, c),
        lambda c: vault.perform(checkout.check_in, tom, c),
        lambda c: vault.perform(checkout.revoke, clara, c),
        lambda c: vault.read(checkout.lease_view, tom, c),
        lambda c: checkout.lease(vault, tom, c, [secret], 5, why, world.presence("technician")),
        lambda c: checkout.lease(vault, tom, ticket.id, [c], 5, why, world.presence("technician")),
        lambda c: checkout.lease(vault, tom, ticket.id, [secret], 5, why, Presence(code=c)),
        lambda c: checkout.report_broken(vault, tom, c, secret, why),
        lambda c: checkout.report_broken(vault, tom, lease.id, c, why),
        lambda c: vault.perform(tickets.open_ticket, clara, c, "T-5", "Work"),
        lambda c: vault.perform(tickets.assign, clara, c, tom.id),
        lambda c: vault.perform(tickets.assign, clara, ticket.id, c),
        lambda c: vault.perform(tickets.unassign, clara, ticket.id, c),
        lambda c: vault.perform(tickets.close, clara, c),
        lambda c: vault.read(tickets.ticket, tom, c),
        lambda c: vault.perform(requests.ask, clara, c, None, "hand"),
        lambda c: vault.perform(requests.ask, clara, form.service, [c], "hand"),
        lambda c: vault.perform(requests.ask, clara, form.service, None, c),
        lambda c: vault.perform(requests.cancel, clara, c),
        lambda c: vault.perform(requests.reissue, clara, c, "hand"),
        lambda c: services.register(vault, clara, c, "installation", "A shop", soon),
        lambda c: services.register(vault, clara, new_id("cus"), c, "A shop", soon),
        lambda c: destruction.end(vault, clara, c, "A shop", world.presence("coordinator")),
        lambda c: destruction.end(vault, clara, form.service, c, world.presence("coordinator")),
        lambda c: destruction.end(vault, clara, form.service, lease.service_title, Presence(code=c)),
        lambda c: customers.add(vault, clara, "A shop", c),
        lambda c: vault.perform(staff.disable, host, c),
        lambda c: staff.add(vault, host, "Eve Else", c, ["technician"]),
        lambda c: staff.add(vault, host, "Eve Else", "e@agency.example", [c]),
        lambda c: enrolling.begin(vault, nobody, c),
        lambda c: enrolling.choose_password(vault, nobody, c, PASSWORD),
        lambda c: enrolling.confirm_totp(vault, nobody, new_token("vk_enr"), c),
        lambda c: account.change_password(vault, tom, f"{c}\0", NOTHING),
        lambda c: account.confirm_totp(vault, tom, c),
        lambda c: account.remove_factor(vault, tom, c, world.presence("technician")),
        lambda c: presence.prove_here(vault, tom, c, Presence(code="000000")),
        lambda c: tokens.make(vault, tom, "a robot", [c], 30, NOTHING),
        lambda c: device.look(vault, tom, c),
        lambda c: sessions.sign_in_with_passkey(vault, c, {}, nobody),
        lambda c: vault.perform(sessions.end_one, tom, c),
        lambda c: catalogue.apply(vault, host, c),
        lambda c: vault.read(audit.entries, axel, None, None, c, None),
        lambda c: vault.read(audit.entries, axel, None, None, None, c),
        lambda c: sessions.sign_in(vault, c, PASSWORD, "000000", nobody),
        lambda c: sessions.sign_in(vault, "tom@agency.example", c, "000000", nobody),
        lambda c: sessions.sign_in(vault, "tom@agency.example", PASSWORD, c, nobody),
        lambda c: sessions.resolve(vault, c, "192.0.2.66", "api"),
        lambda c: intake.begin(vault, CUSTOMER, Begin(code=c, browser=browser)),
        lambda c: intake.look(vault, CUSTOMER, Look(browser=c)),
        lambda c: giving.give(vault, CUSTOMER, Give(**{**sealed.model_dump(), "envelope": c})),
        lambda c: giving.give(vault, CUSTOMER, Give(**{**sealed.model_dump(), "secret": c})),
        lambda c: giving.give(vault, CUSTOMER, Give(**{**sealed.model_dump(), "browser": c})),
    ]


@pytest.mark.promise("P9")
@pytest.mark.attack("AU05", "IN08")
def test_a_secret_typed_in_the_wrong_place_is_kept_nowhere_and_not_repeated(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service, secret, ticket, lease = world.lent()
    browser, form = world.begin(world.ask(service, "ssh-key"))
    places = typed_wrong(world, lease, ticket, secret, browser, form)
    typed = [canary() for _ in places]
    for place, word in zip(places, typed, strict=True):
        with pytest.raises(VaultError) as refusal:
            world.run(place(word))
        said = f"{refusal.value} {refusal.value.hint} {getattr(refusal.value, 'pointer', '')}"
        assert word not in said
    assert world.read(audit.entries, world.actor("auditor"), None, canary(), None, None).entries == ()
    world.run(upkeep.sweep(world.vault))
    bundle, stored = world.bundle(), list(everything_stored(world))
    for word in typed:
        ways = [needle for needles in encodings_of(word).values() for needle in needles]
        assert not [place for place, raw in stored if any(way in raw for way in ways)]
        assert not [way for way in ways if way in bundle or way in caplog.text.encode()]
    assert world.reveal(lease, secret) == LOGIN["password"]
