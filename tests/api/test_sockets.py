"""The two sockets of the real server: the operator's, and the one an intake of its own speaks through."""

import asyncio
import json
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from api.core import Core, intake_socket
from api.intake.door import SocketDoor
from api.operator import operator_socket
from vault.crypto.encoding import b64
from vault.crypto.tokens import new_intake_code, new_token
from vault.errors import NotFound
from vault.model.messages import Accept, Again, Begin, Done, Look
from vault.operations.vault import Vault

from .conftest import Deployment

Ask = Callable[..., Awaitable[dict[str, Any]]]


def ordered(deployment: Deployment, story: Callable[[Vault, Ask], Awaitable[None]]) -> None:
    """Run a story against the operator's socket of a running vault."""

    async def run() -> None:
        vault = Vault.start(deployment.settings)
        place = deployment.settings.operator_socket

        async def ask(**order: Any) -> dict[str, Any]:
            reader, writer = await asyncio.open_unix_connection(place, limit=1 << 20)
            writer.write(json.dumps(order).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await reader.readline())
            writer.close()
            return answer

        try:
            async with operator_socket(vault):
                await story(vault, ask)
        finally:
            await vault.close()

    asyncio.run(run())


def test_an_operator_unseals_and_seals_over_the_socket(deployment: Deployment) -> None:
    async def story(vault: Vault, ask: Ask) -> None:
        status = (await ask(do="status"))["ok"]
        assert status["sealed"] is True
        assert status["protector"]["protector"] == "file"
        assert deployment.root_key.hex() not in str(status)
        assert await ask(do="unseal", root_key=b64(deployment.root_key)) == {"ok": None}
        assert not vault.is_sealed
        assert (await ask(do="status"))["ok"]["sealed"] is False
        assert {finding["subject"] for finding in (await ask(do="doctor"))["ok"]} >= {"ledger", "rows"}
        assert await ask(do="seal") == {"ok": None}
        assert vault.is_sealed

    ordered(deployment, story)


@pytest.mark.attack("DP11")
def test_staff_and_catalogue_come_from_the_host_only(deployment: Deployment) -> None:
    async def story(_vault: Vault, ask: Ask) -> None:
        person = {"name": "Ada Admin", "mail": "ada@x.example", "roles": ["administrator"]}
        refused = await ask(do="staff add", **person)
        assert refused["error"] == "Sealed"
        assert refused["hint"]
        await ask(do="unseal", root_key=b64(deployment.root_key))
        added = (await ask(do="staff add", **person))["ok"]
        assert added["person"]["name"] == "Ada Admin"
        assert added["deliver"] == "hand"
        assert added["code"]
        assert (await ask(do="staff add", **person))["error"] == "Conflict"
        refused = await ask(
            do="staff add", **person | {"mail": "b@x.example", "roles": ["auditor", "hunter2"]}
        )
        assert refused["error"] == "Invalid"
        assert "hunter2" not in str(refused)
        assert (await ask(do="catalogue apply", toml="not toml ["))["error"] == "Invalid"

    ordered(deployment, story)


@pytest.mark.attack("AU06")
def test_the_host_changes_and_disables_accounts_by_mail_address(deployment: Deployment) -> None:
    async def story(_vault: Vault, ask: Ask) -> None:
        await ask(do="unseal", root_key=b64(deployment.root_key))
        await ask(do="staff add", name="Tom Tanner", mail="tom@x.example", roles=["technician"])
        changed = await ask(do="staff roles", mail="tom@x.example", roles=["coordinator", "technician"])
        assert changed["ok"]["roles"] == ["coordinator", "technician"]
        moved = await ask(do="staff mail", mail="tom@x.example", new="thomas@x.example")
        assert moved["ok"]["code"]  # he has not enrolled yet, so he is invited anew
        assert (await ask(do="staff reset", mail="tom@x.example"))["error"] == "NotFound"
        assert await ask(do="staff disable", mail="thomas@x.example") == {"ok": None}
        assert (await ask(do="staff reset", mail="hunter2"))["error"] == "Invalid"
        (tom,) = (await ask(do="staff list"))["ok"]
        assert (tom["mail"], tom["state"]) == ("thomas@x.example", "disabled")

    ordered(deployment, story)


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"do": "hunter2"},
        {"do": "status", "hunter2": 1},
        {"do": "unseal"},
        {"do": "unseal", "root_key": "hunter2"},
        {"do": "unseal", "root_key": 10**30},
        {"do": "unseal", "root_key": "hunter2" * 100},
        {"do": "unseal", "root_key": "A" * 43},
        {"do": "staff add", "name": "hunter2"},
        {"do": "staff add", "name": "x", "mail": "x@x.example", "roles": "hunter2"},
        {"do": "staff add", "name": "x", "mail": "x@x.example", "roles": [], "password": "hunter2"},
        {"do": "staff reset", "mail": "x@x.example", "deliver": "hunter2"},
        ["hunter2"],
    ],
    ids=str,
)
def test_an_order_that_is_none_is_a_sentence_and_is_not_repeated(deployment: Deployment, order: Any) -> None:
    async def story(vault: Vault, _ask: Ask) -> None:
        reader, writer = await asyncio.open_unix_connection(deployment.settings.operator_socket)
        writer.write(json.dumps(order).encode() + b"\n")
        answer = await reader.readline()
        writer.close()
        assert json.loads(answer)["error"] in {"Invalid", "Tampered"}
        assert b"hunter2" not in answer
        assert vault.is_sealed

    ordered(deployment, story)


def test_the_operators_socket_is_its_owners_alone(deployment: Deployment) -> None:
    place: Path = deployment.settings.operator_socket

    async def story(_vault: Vault, _ask: Ask) -> None:
        assert stat.S_IMODE(os.stat(place).st_mode) == 0o600  # noqa: PTH116 (a test may wait for a file)

    ordered(deployment, story)
    assert not place.exists()


@pytest.mark.promise("P3")
def test_an_intake_of_its_own_hears_the_cores_refusals_by_their_class(deployment: Deployment) -> None:
    async def run() -> None:
        vault = Vault.start(deployment.settings)
        place = deployment.settings.intake_socket
        try:
            async with intake_socket(Core(vault), place):
                door = SocketDoor(place)
                with pytest.raises(NotFound):  # also while sealed: the form works without a key
                    await door.ask(Begin(code=new_intake_code(), browser=new_token("vk_giv")))
                browser = new_token("vk_giv")
                for message in (
                    Look(browser=browser),
                    Accept(browser=browser, version=1),
                    Again(browser=browser, secret="sec_00000000000000000000"),
                    Done(browser=browser),
                ):
                    with pytest.raises(NotFound, match="not open in this browser"):
                        await door.ask(message)
                reader, writer = await asyncio.open_unix_connection(place)
                writer.write(b'{"do": "reveal", "secret": "hunter2"}\n')
                refused = json.loads(await reader.readline())
                writer.close()
                assert refused["answer"] == "refused"
                assert refused["error"] == "Invalid"
                assert "hunter2" not in str(refused)
        finally:
            await vault.close()

    asyncio.run(run())
