"""The server under test: the real application and writer, with a company large enough to be loaded.

Run as `python -m bench.server`. It writes one JSON line with everything a client needs to its standard output, serves
on loopback, and ends when its standard input is closed.
"""

import asyncio
import base64
import json
import socket
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import uvicorn
import uvloop

from api.app import build
from api.depends import SignedIn
from api.gate import guarded
from api.server import Server
from vault.crypto.encoding import b64
from vault.crypto.envelope import Context
from vault.crypto.factors import current_code
from vault.crypto.passwords import FLOOR, Cost, HashingQueue
from vault.crypto.protectors import KeyFile
from vault.crypto.sealing import seal
from vault.crypto.statement import check_statement
from vault.crypto.suites import XWING
from vault.crypto.tokens import new_token
from vault.model.kinds import pack_fields
from vault.model.messages import Begin, Form, Give
from vault.operations.customers import customers, giving, intake, requests
from vault.operations.house import operator, upkeep
from vault.operations.leases import checkout
from vault.operations.people import enrolling, sessions, staff
from vault.operations.presence import Presence
from vault.operations.services import catalogue, services, tickets
from vault.operations.vault import Vault
from vault.settings import Settings
from vault.values import Actor

PASSWORD = "nine benches stand in the quiet yard"  # noqa: S105 (of people who live for a minute)
CATALOGUE = """
[agreement]
text = "I keep to myself what I see of customers and their servers."
[service-types.bench]
title = "A service to measure with"
longest_lease_minutes = 1440
longest_life_days = 30
needs = [{ kind = "ssh-password", because = "to measure how long it takes" }]
"""
MARGIN = 25
FIELDS = {"host": "shop.example.com", "port": "22", "username": "deploy", "password": "correct horse"}


async def _early_in_a_step() -> int:
    """The time in seconds, once its one-time code is good for some more of them."""
    while time.time() % 30 > MARGIN:
        await asyncio.sleep(0.1)
    return int(time.time())


async def _member(vault: Vault, number: int, role: str) -> tuple[str, str, bytes, Actor]:
    mail = f"{role}{number}@bench.example"
    invited = await staff.add(vault, Actor.host(), f"{role} {number}", mail, [role])
    nobody = Actor.nobody(f"10.0.{number // 250}.{number % 250}", "api")
    browser, _ = await enrolling.begin(vault, nobody, invited.code or "")
    await enrolling.choose_password(vault, nobody, browser, PASSWORD)
    offered = await enrolling.offer_totp(vault, nobody, browser)
    seed = base64.b32decode(parse_qs(urlsplit(offered.uri).query)["secret"][0])
    code = current_code(
        seed, await _early_in_a_step() - 30
    )  # the step before, so that the present one is unused
    dear, vault.hashing = vault.hashing, HashingQueue(FLOOR)  # ten slow hashes each would take minutes
    recovery = await enrolling.confirm_totp(vault, nobody, browser, code)
    started = await sessions.sign_in(vault, mail, PASSWORD, recovery[0], nobody)
    vault.hashing.close()
    vault.hashing = dear
    actor = await sessions.resolve(vault, started.token, "10.0.0.1", "api")
    await vault.perform(staff.agree, actor, 1)
    return invited.person.id, started.token, seed, actor


async def _form(
    vault: Vault, coordinator: Actor, customer: str, number: int
) -> tuple[str, str, Form, dict[str, Any]]:
    """A service, its customer's open form, and an envelope that is sealed for it."""
    ends = datetime.now(UTC) + timedelta(days=7)
    service = await services.register(vault, coordinator, customer, "bench", f"Service {number}", ends)
    asked = await vault.perform(requests.ask, coordinator, service.id, None, "hand")
    browser = new_token("vk_giv")
    nobody = Actor.nobody(f"10.1.{number // 250}.{number % 250}", "intake")
    form = await intake.begin(vault, nobody, Begin(code=asked.code or "", browser=browser))
    public = bytes.fromhex(vault.settings.statement_key_place.read_text("ascii").strip())
    statement = check_statement(public, form.statement, form.statement_signature)
    item = form.items[0]
    context = Context(form.deployment, form.service, statement.key, item.secret, item.version, item.kind)
    envelope = b64(seal(pack_fields(FIELDS), XWING, statement.public_key(XWING.name), context))
    body = {"secret": item.secret, "version": item.version, "envelope": envelope, "sealed_by": "client"}
    return service.id, browser, form, body


async def company(vault: Vault, technicians: int, forms: int) -> dict[str, Any]:
    """Staff, a lease to reveal under, and forms to answer."""
    await catalogue.apply(vault, Actor.host(), CATALOGUE)
    coordinator = (await _member(vault, 0, "coordinator"))[3]
    customer = await customers.add(vault, coordinator, "A customer", "customer@bench.example")
    people = [await _member(vault, number, "technician") for number in range(1, technicians + 1)]
    service, browser, _, body = await _form(vault, coordinator, customer.id, 0)
    nobody = Actor.nobody("10.2.0.1", "intake")
    await giving.give(vault, nobody, Give(browser=browser, **body))
    ticket = await vault.perform(tickets.open_ticket, coordinator, service, "B-1", "Measure")
    for person, *_ in people:
        await vault.perform(tickets.assign, coordinator, ticket.id, person)
    lead = people[0]
    code = current_code(lead[2], int(time.time()))
    lease = await checkout.lease(
        vault, lead[3], ticket.id, [body["secret"]], 1440, "measure the reveal", Presence(code=code)
    )
    given = [await _form(vault, coordinator, customer.id, number) for number in range(1, forms + 1)]
    return {
        "ticket": ticket.id,
        "lease": lease.id,
        "secret": body["secret"],
        "token": lead[1],
        "technicians": [{"token": token, "seed": seed.hex()} for _, token, seed, _ in people[1:]],
        "forms": [{"browser": browser, "body": json.dumps(body)} for _, browser, _, body in given],
    }


async def main(technicians: int, forms: int) -> None:
    """Make the company, say where it is, serve until standard input ends."""
    with (
        tempfile.TemporaryDirectory(prefix="valetkey-bench-") as place,
        socket.create_server(("127.0.0.1", 0)) as bound,
    ):
        port = bound.getsockname()[1]
        key = Path(place) / "root.key"
        settings = Settings(
            base_url=f"http://127.0.0.1:{port}", data_dir=Path(place) / "data", root_key_file=key
        )
        operator.initialise(settings, KeyFile.make(key))
        vault = Vault.start(settings, hashing=HashingQueue(Cost(19 * 1024, 2, 1)))
        facts = await company(vault, technicians, forms)
        app = build(vault)

        @app.post("/bench/noop")
        async def noop(actor: SignedIn) -> dict[str, str]:
            """Sign-in checked, nothing done: what everything else is measured against."""
            return {"value": actor.id}

        config = uvicorn.Config(
            guarded(app, settings), http="httptools", access_log=False, lifespan="off", log_level="warning"
        )
        server = Server(config)
        keeping = asyncio.create_task(upkeep.run(vault))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        sys.stdout.write(json.dumps(facts | {"port": port}) + "\n")
        sys.stdout.flush()
        while await asyncio.to_thread(sys.stdin.readline):
            sys.stdout.write(
                json.dumps({"batches": vault.writer.batches, "entries": vault.writer.entries}) + "\n"
            )
            sys.stdout.flush()
        server.should_exit = True
        await serving
        keeping.cancel()
        await asyncio.wait([keeping])
        await vault.close()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
