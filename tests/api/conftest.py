import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from api.depends import CheckedForm
from api.gate import bare, guarded
from vault.crypto.protectors import KeyFile
from vault.errors import NotSignedIn, Tampered
from vault.operations.house import operator
from vault.operations.vault import Vault
from vault.settings import Settings

ORIGIN = "https://vault.example"


class Small(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    number: int = 0


def small_app() -> FastAPI:
    """A few routes of the shapes that the real application has, to try the gate and the limits on."""
    app = bare("small")

    @app.get("/api/v1/thing")
    async def thing() -> dict[str, str]:
        return {"name": "thing"}

    @app.post("/api/v1/things")
    async def things(body: Small) -> Small:
        return body

    @app.post("/give/secret")
    async def give(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.post("/form")
    async def form(form: CheckedForm) -> dict[str, str]:
        return {"note": str(form.get("note"))}

    @app.post("/deed")
    async def deed() -> dict[str, str]:
        return {"done": "yes"}

    @app.get("/static/site.css")
    async def css() -> PlainTextResponse:
        return PlainTextResponse("p{}", media_type="text/css")

    @app.get("/api/v1/fault")
    async def fault() -> None:
        raise RuntimeError("the driver says: password hunter2 is no good")

    @app.get("/api/v1/damaged")
    async def damaged() -> None:
        raise Tampered("a row does not match")

    @app.get("/api/v1/closed")
    async def closed() -> None:
        raise NotSignedIn("you are not signed in")

    return app


def settings(**more: Any) -> Settings:
    return Settings(base_url=ORIGIN, **more)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(
        guarded(small_app(), settings()), base_url=ORIGIN, raise_server_exceptions=True
    ) as client:
        yield client


@contextmanager
def served(app: Any) -> Iterator[tuple[str, int]]:
    """A real server on loopback."""
    config = uvicorn.Config(app, port=0, log_level="error", access_log=False, ws="none", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    try:
        yield host, port
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with served(guarded(small_app(), settings())) as place:
        yield place


@contextmanager
def spoken(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=10) as line:
        yield line


@dataclass(frozen=True)
class Deployment:
    """A vault just made, sealed, with nobody in it."""

    settings: Settings
    root_key: bytes


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Settings(data_dir=tmp_path / "data", base_url="http://127.0.0.1:8700")
    protector = KeyFile.make(tmp_path / "root.key")
    operator.initialise(made, protector)
    vault = Vault.start(made)
    record = vault.keyring.protector_record()
    asyncio.run(vault.close())
    return Deployment(made, protector.unprotect(record))
