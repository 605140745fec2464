"""The conversation with the mail server, over a real one: what it may do wrong, and that nothing goes in the clear."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from tests.operations.mailing import PostOffice, about, deliver, post_office, text_of, use
from tests.world import World
from vault.operations.customers import requests

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def asked(world: World) -> str:
    """Ask a customer by mail; returns the request's id."""
    coordinator = world.actor("coordinator")
    view = world.perform(requests.ask, coordinator, world.service().id, ["ssh-password"], "mail")
    return str(view.id)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that nobody else vouches for, and a server's side of it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    folder = tmp_path_factory.mktemp("smtp")
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    return chain, context


@pytest.mark.promise("P9")
def test_a_server_that_offers_no_encryption_gets_no_mail(embedded: World) -> None:
    with post_office(embedded, starttls=True) as office:
        request = asked(embedded)
        assert deliver(embedded) == 0
        assert about(embedded, request) == ("waiting", 1)
        assert (office.mails, "RCPT" in office.heard) == ([], False), "not even an address in the clear"


@pytest.mark.promise("P9")
def test_a_server_with_a_certificate_of_nobody_gets_no_mail(
    embedded: World, certified: tuple[Path, ssl.SSLContext]
) -> None:
    with post_office(embedded, starttls=True, tls_context=certified[1]) as office:
        request = asked(embedded)
        assert deliver(embedded) == 0
        assert about(embedded, request) == ("waiting", 1)
        assert (office.mails, "RCPT" in office.heard) == ([], False)


def test_a_server_with_a_certificate_that_is_trusted_gets_it_encrypted(
    embedded: World, certified: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certified[0]))
    with post_office(embedded, starttls=True, tls_context=certified[1], require_starttls=True) as office:
        asked(embedded)
        assert deliver(embedded) == 1
        (mail,) = office.mails
        assert "/give#" in text_of(mail)


@contextmanager
def talking(world: World, talk: Talk) -> Iterator[None]:
    """A server of our own manners on loopback, and the world set up to send by it."""

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(talk, "127.0.0.1", 0)

    world.reopen()
    server = world.run(listen())
    port = server.sockets[0].getsockname()[1]
    use(world, port)
    try:
        yield
    finally:
        server.close()


def replies(*said: str) -> Talk:
    """Greets, and answers each command by the next of these; then hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 localhost ready\r\n")
        for one in said:
            if not await reader.readline():
                break
            writer.write(f"{one}\r\n".encode())
        await writer.drain()
        writer.close()

    return talk


@pytest.mark.parametrize(
    "said",
    [
        [],
        ["250 localhost"],
        ["250 localhost", "421 4.3.2 shutting down"],
        ["250 localhost", "250 ok", "451 4.7.1 greylisted, come back"],
        ["250 localhost", "250 ok", "550 5.1.1 unknown"],
        ["250 localhost", "550 5.7.1 not from you"],
        ["250 localhost", "250 ok", "250 ok", "354 go on"],
        ["nonsense"],
        ["250 " + "x" * 5000],
    ],
    ids=["hangs up", "cut", "421", "451", "550", "sender", "cut in the mail", "nonsense", "endless"],
)
def test_whatever_a_mail_server_does_the_mail_waits_and_the_vault_goes_on(
    embedded: World, said: list[str]
) -> None:
    with talking(embedded, replies(*said)):
        request = asked(embedded)
        assert deliver(embedded) == 0
        assert about(embedded, request) == ("waiting", 1)
        assert embedded.service(title="Another")
    with post_office(embedded) as office:
        embedded.clock.advance(minutes=1)
        deliver(embedded)
        assert len(office.mails) == 1
        assert isinstance(office, PostOffice)
