"""A small company with verbs, over the real operations and a real database. Only the clock is ours."""

import asyncio
import base64
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Awaitable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import uvicorn
from sqlalchemy import Engine, text

from tests.hashes import CHEAP, cheap_hashes
from tests.postgres import Cluster
from vault.crypto.encoding import b64
from vault.crypto.envelope import Context
from vault.crypto.factors import current_code
from vault.crypto.passwords import Cost, HashingQueue
from vault.crypto.protectors import KeyFile, protector_of
from vault.crypto.sealing import seal
from vault.crypto.statement import check_statement
from vault.crypto.suites import suite_named
from vault.crypto.tokens import new_token
from vault.errors import NotSignedIn
from vault.ledger.entry import decode
from vault.model.kinds import pack_fields
from vault.model.messages import Begin, Done, Form, Give, Receipt
from vault.model.views import (
    CertificateView,
    CustomerView,
    InvitationView,
    LeaseView,
    PersonView,
    RequestView,
    ServiceView,
    TicketView,
)
from vault.operations.customers import customers, giving, intake, requests
from vault.operations.house import audit, destruction, operator
from vault.operations.leases import checkout
from vault.operations.people import enrolling, sessions, staff
from vault.operations.presence import Presence
from vault.operations.services import catalogue, services, tickets
from vault.operations.vault import Vault
from vault.settings import Settings
from vault.storage.database import is_sqlite, open_engine
from vault.values import SECOND, Actor, to_datetime

T = TypeVar("T")
PASSWORD = "seven quiet llamas knit by moonlight"
CATALOGUE = """
[agreement]
text = "I keep to myself what I see of customers and their servers, and use it for their service alone."

[service-types.installation]
title = "Installation of a shop"
longest_lease_minutes = 240
longest_life_days = 90
needs = [{ kind = "ssh-password", because = "to install the shop on your server" }]
may_ask = [{ kind = "ssh-key", because = "to log in where your server takes keys only" }]
"""
LOGIN = {"host": "shop.example.com", "port": "22", "username": "deploy", "password": " canary-Zq7w hunter2 "}
PEOPLE = {
    "technician": ("Tom Tanner", "tom@agency.example"),
    "coordinator": ("Clara Cole", "clara@agency.example"),
    "auditor": ("Axel Audley", "axel@agency.example"),
    "administrator": ("Ada Adams", "ada@agency.example"),
}


class FakeClock:
    """A clock that tests move: `advance` is time passing, `jump` is somebody setting the clock."""

    def __init__(self) -> None:
        self._wall = time.time_ns() // 1000
        self._elapsed = 0

    def wall(self) -> int:
        return self._wall

    def elapsed(self) -> int:
        return self._elapsed

    def advance(self, **span: float) -> None:
        step = int(timedelta(**span) / timedelta(microseconds=1))
        self._wall += step
        self._elapsed += step

    def jump(self, **span: float) -> None:
        self._wall += int(timedelta(**span) / timedelta(microseconds=1))


@dataclass
class Member:
    """One of the staff, and what they carry: their password is PASSWORD, their second factor this seed."""

    view: PersonView
    seed: bytes = field(repr=False)
    token: str = field(default="", repr=False)
    actor: Actor | None = None
    last_step: int = 0
    recovery: list[str] = field(default_factory=list, repr=False)

    @property
    def id(self) -> str:
        return self.view.id


@dataclass
class Ground:
    """Where a vault stands: its settings, and how another one like it is made from a template."""

    settings: Settings
    cluster: Cluster | None = None
    databases: tuple[str, ...] = ()
    cost: Cost = CHEAP


class World:
    """Everybody and everything that a test needs, each by one short verb."""

    def __init__(self, ground: Ground, staff: "dict[str, Member] | None" = None) -> None:
        self.ground = ground
        self.settings = ground.settings
        self.clock = FakeClock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._engines: dict[tuple[str, bool], Engine] = {}
        self.vault = self._start()
        self.staff: dict[str, Member] = {
            name: replace(member, token="", actor=None) for name, member in (staff or {}).items()
        }

    # -- running -------------------------------------------------------------------------------------------------

    def run(self, work: Awaitable[T]) -> T:
        """Wait for something asynchronous, on the one loop of this world."""

        async def wait() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result(120)

    def together(self, *works: Coroutine[Any, Any, Any]) -> list[Any]:
        """Start all of them in one turn of the loop; exceptions come back as results."""

        async def wait() -> list[Any]:
            return await asyncio.gather(*works, return_exceptions=True)

        return self.run(wait())

    def perform(self, change: Any, actor: Actor, *args: Any) -> Any:
        return self.run(self.vault.perform(change, actor, *args))

    def read(self, look: Any, actor: Actor, *args: Any) -> Any:
        return self.run(self.vault.read(look, actor, *args))

    def _start(self) -> Vault:
        async def start() -> Vault:
            return Vault.start(self.settings, self.clock, HashingQueue(self.ground.cost))

        return self.run(start())

    def reopen(self) -> None:
        """Stop the vault in good order and start it again."""
        self.run(self.vault.close())
        self.vault = self._start()
        for member in self.staff.values():
            member.token, member.actor = "", None

    def let_go(self) -> None:
        """Close the vault, and whatever we have looked behind it with."""
        for engine in self._engines.values():
            engine.dispose()
        self.run(self.vault.close())

    def close(self) -> None:
        self.let_go()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def root_key(self) -> bytes:
        record = self.vault.keyring.protector_record()
        return protector_of(record, passphrase=None, key_file=self.settings.root_key_file).unprotect(record)

    def seal(self) -> None:
        self.run(operator.seal(self.vault))

    def unseal(self) -> None:
        self.run(operator.unseal(self.vault, self.root_key()))

    # -- people --------------------------------------------------------------------------------------------------

    def hire(self, name: str, roles: str, mail: str = "") -> Member:
        """Add one of the staff on the host, and let them enrol with an authenticator."""
        address = mail or f"{name.partition(' ')[0].lower()}-{secrets.token_hex(3)}@agency.example"
        invited = self.run(staff.add(self.vault, Actor.host(), name, address, roles.split()))
        member = self.enrol(invited)
        self.staff[member.id] = member
        return member

    def enrol(self, invited: InvitationView) -> Member:
        """Do as somebody with an invitation does: open it, choose PASSWORD, set up an authenticator."""
        nobody = Actor.nobody("192.0.2.7", "page")
        assert invited.code
        browser, _ = self.run(enrolling.begin(self.vault, nobody, invited.code))
        self.run(enrolling.choose_password(self.vault, nobody, browser, PASSWORD))
        offered = self.run(enrolling.offer_totp(self.vault, nobody, browser))
        seed = base64.b32decode(parse_qs(urlsplit(offered.uri).query)["secret"][0])
        member = Member(invited.person.model_copy(update={"state": "active"}), seed)
        member.recovery = self.run(enrolling.confirm_totp(self.vault, nobody, browser, self.code(member)))
        return member

    def member(self, who: "str | Member") -> Member:
        return who if isinstance(who, Member) else self.staff[who]

    def code(self, who: "str | Member") -> str:
        """The person's next one-time code; the world waits until there is one that was never used."""
        member = self.member(who)
        step = self.clock.wall() // SECOND // 30
        if step <= member.last_step:
            self.clock.advance(seconds=30)
            step = self.clock.wall() // SECOND // 30
        member.last_step = step
        return current_code(member.seed, self.clock.wall() // SECOND)

    def presence(self, who: "str | Member") -> Presence:
        """A fresh code, as what proves a deed."""
        return Presence(code=self.code(who))

    def sign_in(self, who: "str | Member") -> str:
        """Sign in; returns the token."""
        member = self.member(who)
        nobody = Actor.nobody("192.0.2.7", "api")
        started = self.run(
            sessions.sign_in(self.vault, member.view.mail, PASSWORD, self.code(member), nobody)
        )
        member.token = started.token
        return member.token

    def actor(self, who: "str | Member") -> Actor:
        """The person, signed in and bound by the agreement."""
        member = self.member(who)
        try:
            if member.token:
                return self.run(sessions.resolve(self.vault, member.token, "192.0.2.7", "api"))
        except NotSignedIn:
            member.token = ""
        actor = self.run(sessions.resolve(self.vault, self.sign_in(member), "192.0.2.7", "api"))
        view = self.read(sessions.session, actor)
        if not view.person.agreed:
            self.perform(staff.agree, actor, self.read(staff.agreement, actor).version)
        return actor

    # -- the story -----------------------------------------------------------------------------------------------

    def customer(self, name: str = "Acme Garden Tools", mail: str = "shop@acme.example") -> CustomerView:
        return self.run(customers.add(self.vault, self.actor("coordinator"), name, mail))

    def service(
        self, customer: CustomerView | None = None, title: str = "Acme's new shop", days: int = 30
    ) -> ServiceView:
        owner = customer or self.customer()
        ends = to_datetime(self.clock.wall()) + timedelta(days=days)
        coordinator = self.actor("coordinator")
        return self.run(services.register(self.vault, coordinator, owner.id, "installation", title, ends))

    def ask(self, service: ServiceView, *kinds: str, pin: bool = False) -> RequestView:
        coordinator, wanted = self.actor("coordinator"), list(kinds) or None
        return self.run(requests.ask_customer(self.vault, coordinator, service.id, wanted, "hand", pin=pin))

    def begin(self, request: RequestView) -> tuple[str, Form]:
        """Open the customer's form with the code and the PIN; returns the browser's token and the form."""
        browser = new_token("vk_giv")
        assert request.code
        nobody = Actor.nobody("198.51.100.9", "intake")
        message = Begin(code=request.code, browser=browser, pin=request.pin or "")
        return browser, self.run(intake.begin(self.vault, nobody, message))

    def sealed(
        self,
        form: Form,
        fields: dict[str, str] = LOGIN,
        suite: str = "xwing",
        item: int = 0,
        kind: str = "",
    ) -> Give:
        """Seal as the browser does, for an item of the form; the browser's token is still to be filled in."""
        public = bytes.fromhex(self.settings.statement_key_place.read_text().strip())
        statement = check_statement(public, form.statement, form.statement_signature)
        asked = form.items[item]
        context = Context(
            form.deployment, form.service, statement.key, asked.secret, asked.version, kind or asked.kind
        )
        chosen = suite_named(suite)
        envelope = seal(pack_fields(fields), chosen, statement.public_key(suite), context)
        return Give(
            browser="",
            secret=asked.secret,
            version=asked.version,
            envelope=b64(envelope),
            sealed_by="client",
            kind=kind,
        )

    def hand_in(self, browser: str, give: Give) -> Receipt:
        nobody = Actor.nobody("198.51.100.9", "intake")
        return self.run(giving.give(self.vault, nobody, give.model_copy(update={"browser": browser})))

    def give(
        self, service: ServiceView, fields: dict[str, str] = LOGIN, *kinds: str, suite: str = "xwing"
    ) -> str:
        """Ask the customer and let them answer; returns the secret's id."""
        browser, form = self.begin(self.ask(service, *kinds))
        receipt = self.hand_in(browser, self.sealed(form, fields, suite))
        self.run(intake.done(self.vault, Actor.nobody("198.51.100.9", "intake"), Done(browser=browser)))
        return receipt.secret

    def ticket(
        self, service: ServiceView, who: "str | Member" = "technician", number: str = "T-1001"
    ) -> TicketView:
        """Open a ticket and put somebody on it."""
        coordinator = self.actor("coordinator")
        view = self.perform(tickets.open_ticket, coordinator, service.id, number, "Install the shop")
        self.perform(tickets.assign, coordinator, view.id, self.member(who).id)
        return view

    def lease(
        self, ticket: TicketView, *secret_ids: str, who: "str | Member" = "technician", minutes: int = 30
    ) -> LeaseView:
        actor = self.actor(who)
        reason = "install the shop as ordered"
        given = self.presence(who)
        return self.run(
            checkout.lease(self.vault, actor, ticket.id, list(secret_ids), minutes, reason, given)
        )

    def reveal(
        self, lease: LeaseView, secret_id: str, name: str = "password", who: "str | Member" = "technician"
    ) -> str:
        return self.perform(checkout.reveal, self.actor(who), lease.id, secret_id, name).expose()

    def end(self, service: ServiceView) -> CertificateView:
        coordinator = self.actor("coordinator")
        given = self.presence("coordinator")
        return self.run(destruction.end(self.vault, coordinator, service.id, service.title, given))

    def lent(self) -> tuple[ServiceView, str, TicketView, LeaseView]:
        """The usual middle of the story: a service, its secret given, a ticket, a lease."""
        service = self.service()
        secret = self.give(service)
        ticket = self.ticket(service)
        return service, secret, ticket, self.lease(ticket, secret)

    # -- looking -------------------------------------------------------------------------------------------------

    def ledger(self, since: int = 0) -> list[str]:
        """Every entry as `type outcome`, from `since` on."""
        rows = self.sql("SELECT body FROM ledger_entry WHERE seq >= :since ORDER BY seq", since=since)
        return [f"{entry.type} {entry.outcome}" for entry in (decode(body.encode()) for (body,) in rows)]

    def size(self) -> int:
        return int(self.sql("SELECT size FROM ledger_head")[0][0])

    def bundle(self) -> bytes:
        return b"".join(self.run(audit.bundle(self.vault, self.actor("auditor"))))

    def vkey(self) -> str:
        return self.vault.keyring.fact("ledger verifier")

    def sql(self, statement: str, **values: object) -> list[Any]:
        """What somebody with rights on the database can do behind the vault's back."""
        with self.behind() as engine, engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []

    @contextmanager
    def behind(self, *, reader: bool = False) -> Iterator[Engine]:
        """An engine of our own on the vault's database; of the embedded one's file it lets go again."""
        place = self.settings.vault_url, reader
        if place not in self._engines:
            self._engines[place] = open_engine(place[0], reader=reader)
        try:
            yield self._engines[place]
        finally:
            if is_sqlite(self._engines[place]):
                self._engines[place].dispose()

    @contextmanager
    def served(self) -> Iterator[str]:
        """The whole application on a loopback socket; gives its base address, which is the settings' base_url."""
        from api.app import create_app

        port = urlsplit(self.settings.base_url).port or 0
        bound = socket.socket(
            socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )  # else asyncio leaves Nagle on
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.listen()
        server = uvicorn.Server(
            uvicorn.Config(create_app(self.vault), log_level="error", access_log=False, lifespan="off")
        )
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        running = asyncio.run_coroutine_threadsafe(server.serve(sockets=[bound]), self._loop)
        while not server.started:
            if running.done():
                running.result()
            time.sleep(0.005)
        try:
            yield self.settings.base_url
        finally:
            server.should_exit = True
            running.result(20)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


class Template:
    """One vault that was initialised and staffed once; every test stands on a copy of it."""

    def __init__(self, place: Path, cluster: Cluster | None, cost: Cost = CHEAP) -> None:
        self.place = place
        self.cost = cost
        self.cluster = cluster
        self.names = ("template_vault", "template_keyring")
        self.key_file = place / "root.key"
        place.mkdir(parents=True, exist_ok=True)
        KeyFile.make(self.key_file)
        for name in self.names if cluster else ():
            cluster.admin(f'CREATE DATABASE "{name}"')  # type: ignore[union-attr]
        settings = self._settings(place / "data", self.names)
        operator.initialise(settings, KeyFile(self.key_file))
        with cheap_hashes():
            world = World(Ground(settings, cluster, cost=cost))
            world.run(catalogue.apply(world.vault, Actor.host(), CATALOGUE))
            self.staff = {role: world.hire(name, role, mail) for role, (name, mail) in PEOPLE.items()}
            world.close()

    def _settings(self, data: Path, databases: tuple[str, ...]) -> Settings:
        urls = {}
        if self.cluster:
            urls = {
                "database_url": self.cluster.url(databases[0]),
                "keyring_url": self.cluster.url(databases[1]),
            }
        return Settings(
            business="Green Lane Web",
            base_url=f"http://localhost:{free_port()}",
            data_dir=data,
            root_key_file=self.key_file,
            **urls,
        )

    @contextmanager
    def world(self, place: Path) -> Iterator[World]:
        """A fresh copy with its own databases, gone afterwards."""
        tag = secrets.token_hex(4)
        data = place / f"data-{tag}"
        shutil.copytree(self.place / "data", data, ignore=shutil.ignore_patterns("*.sock", "vault.lock"))
        databases = tuple(f"{name}_{tag}" for name in ("vault", "keyring"))
        if self.cluster:
            for template, name in zip(self.names, databases, strict=True):
                self.cluster.admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        settings = self._settings(data, databases)
        world = World(Ground(settings, self.cluster, databases, self.cost), self.staff)
        try:
            with cheap_hashes():
                yield world
        finally:
            world.close()
            if self.cluster:
                for name in databases:
                    self.cluster.admin(f'DROP DATABASE "{name}" WITH (FORCE)')
