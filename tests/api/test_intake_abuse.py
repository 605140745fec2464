"""What is sent to the intake to harm: too large, too long, refused by the core, archives; and asked back afterwards."""

import io
import secrets
import tarfile
import time
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from httpx2 import Client, Response

from tests.world import CATALOGUE, LOGIN, World
from vault.model.cards import NO_CARDS
from vault.model.doubts import SEED_PHRASE
from vault.model.files import MARK, file_bytes, file_value
from vault.model.messages import Form
from vault.operations.services import catalogue
from vault.values import Actor

from .speaking import CANARY

CARD = "4111 1111 1111 1111"
MIB = 1024 * 1024
FORM = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "text/html",
    "Sec-Fetch-Site": "same-origin",
}
WITH_FILE = CATALOGUE.replace(
    "may_ask = [", 'may_ask = [{ kind = "file", because = "to set up the network of your server" }, '
)


class Customer:
    """Somebody with an open form, who sends what they like."""

    def __init__(self, world: World, client: Client, kind: str) -> None:
        world.run(catalogue.apply(world.vault, Actor.host(), WITH_FILE))
        self.world, self.client = world, client
        self.service = world.service()
        code = world.ask(self.service, kind).code
        begun = client.post("/give/begin", json={"code": code}, headers={"Valetkey-Client": "cli"}).json()
        client.headers["Valetkey-Give"] = begun.pop("token")
        self.form = Form.model_validate(begun)

    def seal(self, fields: dict[str, str], *, sure: bool = False) -> Response:
        """Hand over as a browser does that looks at nothing."""
        given = self.world.sealed(self.form, fields)
        body = given.model_dump(exclude={"do", "browser"}) | {"sure": sure}
        return self.client.post("/give/secret", json=body, timeout=60)

    def type(self, fields: dict[str, str]) -> Response:
        """Hand over as a browser without script does."""
        typed = {"secret": self.form.items[0].secret} | {
            f"field.{name}": text for name, text in fields.items()
        }
        return self.client.post("/give/plain", content=urlencode(typed), headers=FORM, timeout=60)

    def row(self) -> Any:
        """What is kept of it."""
        return self.world.sql(
            "SELECT state, envelope, asked_version FROM secret WHERE service_id = :id", id=self.service.id
        )[0]


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(base_url=server) as client:
        yield client


@pytest.mark.attack("IN05")
def test_a_file_of_one_mebibyte_is_taken_by_both_ways_and_comes_back_whole(
    embedded: World, client: Client
) -> None:
    raw = secrets.token_bytes(MIB)
    sealed = Customer(embedded, client, "file")
    assert sealed.seal({"name": "network.bin", "contents": file_value(raw)}).status_code == 200
    secret = sealed.form.items[0].secret
    lease = embedded.lease(embedded.ticket(sealed.service), secret)
    assert file_bytes(embedded.reveal(lease, secret, "contents")) == raw
    typed = Customer(embedded, client, "file")
    assert typed.type({"name": "network.bin", "contents": file_value(raw)}).status_code == 303
    assert typed.row().state == "checked"


@pytest.mark.attack("IN05", "IN07", "IN08")
@pytest.mark.parametrize("size", [1_400_001, 1_600_000, 2_400_000])
def test_a_file_that_is_too_large_is_refused_unkept_and_not_repeated(
    embedded: World, client: Client, size: int
) -> None:
    customer = Customer(embedded, client, "file")
    contents = MARK + (CANARY.replace("-", "+") * (size // len(CANARY) + 1))[:size]
    started = time.perf_counter()
    answer = customer.type({"name": "network.bin", "contents": contents})
    assert time.perf_counter() - started < 10
    assert answer.status_code in {413, 422}
    assert CANARY.replace("-", "+") not in answer.text
    assert len(answer.text) < 50_000
    assert (customer.row().state, bytes(customer.row().envelope)) == ("awaited", b"")


@pytest.mark.attack("IN07", "IN08")
@pytest.mark.parametrize(
    "password",
    [
        CANARY + "x" * 1024,
        CANARY + "x" * 1_000_000,
        CANARY + "e" + "\u0301" * 1024,
        CANARY + "\U0001f511" * 1024,
    ],
    ids=["one too many", "a million", "a thousand accents", "keys"],
)
def test_a_field_that_is_too_long_is_refused_in_a_sentence(
    embedded: World, client: Client, password: str
) -> None:
    customer = Customer(embedded, client, "ssh-password")
    answer = customer.type(LOGIN | {"password": password})
    assert answer.status_code == 422
    assert CANARY not in answer.text
    assert "at most" in answer.text
    assert customer.row().state == "awaited"


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11", "IN08")
def test_a_card_number_is_refused_by_both_ways_kept_by_none_and_repeated_by_none(
    embedded: World, client: Client
) -> None:
    fields = LOGIN | {"password": f"{CANARY} {CARD}"}
    typed = Customer(embedded, client, "ssh-password")
    answer = typed.type(fields)
    assert answer.status_code == 422
    assert NO_CARDS in answer.text
    assert (typed.row().state, bytes(typed.row().envelope)) == ("awaited", b"")
    sealed = Customer(embedded, client, "ssh-password")
    slipped = sealed.seal(fields, sure=True)
    assert slipped.status_code == 422
    assert slipped.json()["detail"].rstrip(".") == NO_CARDS
    row = sealed.row()
    assert (row.state, bytes(row.envelope), row.asked_version) == ("refused", b"", 2)
    for said in (
        answer.text,
        slipped.text,
        *(body for (body,) in embedded.sql("SELECT body FROM ledger_entry")),
    ):
        assert not any(piece in said for piece in (CANARY, CARD, CARD.replace(" ", "")))
    again = client.get("/give/form").json()
    assert [(item["version"], item["refused"], item["given"]) for item in again["items"]] == [
        (2, True, False)
    ]


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_a_card_number_deep_in_a_large_file_is_found_by_the_cores_check(
    embedded: World, client: Client
) -> None:
    customer = Customer(embedded, client, "file")
    text = "Zeile um Zeile, und nichts steht da.\n" * 13_000 + f"Karte {CARD}\n" + "Und weiter.\n" * 20_000
    answer = customer.seal({"name": "export.txt", "contents": file_value(text.encode())})
    assert answer.status_code == 422
    assert answer.json()["detail"].rstrip(".") == NO_CARDS
    assert (customer.row().state, bytes(customer.row().envelope)) == ("refused", b"")


@pytest.mark.promise("P7")
def test_what_is_doubtful_is_taken_only_from_who_was_asked(embedded: World, client: Client) -> None:
    words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    unasked = Customer(embedded, client, "ssh-password")
    answer = unasked.seal(LOGIN | {"password": words})
    assert (answer.status_code, answer.json()["detail"]) == (422, SEED_PHRASE)
    assert (unasked.row().state, bytes(unasked.row().envelope)) == ("refused", b"")
    asked = Customer(embedded, client, "ssh-password")
    assert asked.seal(LOGIN | {"password": words}, sure=True).status_code == 200
    assert asked.row().state == "checked"


def archives() -> dict[str, bytes]:
    """What would do harm to whoever unpacks it."""
    bomb, slip, links = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(200 * MIB))
    with zipfile.ZipFile(slip, "w") as archive:
        archive.writestr("../../../../tmp/slipped", "x")
    with tarfile.open(fileobj=links, mode="w:gz") as tar:
        link = tarfile.TarInfo("passwd")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    polyglot = b"-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n" + slip.getvalue()
    return {"bomb": bomb.getvalue(), "slip": slip.getvalue(), "links": links.getvalue(), "polyglot": polyglot}


@pytest.mark.attack("IN16")
def test_archives_are_kept_as_they_are_and_never_opened(embedded: World, client: Client) -> None:
    for name, raw in archives().items():
        customer = Customer(embedded, client, "file")
        started = time.perf_counter()
        assert customer.seal({"name": f"{name}.zip", "contents": file_value(raw)}).status_code == 200
        assert time.perf_counter() - started < 10
        secret = customer.form.items[0].secret
        lease = embedded.lease(embedded.ticket(customer.service, number=f"T-{name}"), secret)
        assert file_bytes(embedded.reveal(lease, secret, "contents")) == raw


@pytest.mark.attack("IN16")
@pytest.mark.parametrize(
    "contents", [b"PK\x03\x04" + bytes(600), b"\x1f\x8b\x08" + bytes(600), b"line\n" * 10_000]
)
def test_what_is_no_key_is_refused_as_a_key(embedded: World, client: Client, contents: bytes) -> None:
    customer = Customer(embedded, client, "ssh-key")
    login = {name: text for name, text in LOGIN.items() if name != "password"}
    answer = customer.seal(login | {"private_key": contents.decode("latin-1").replace("\0", "\u2400")})
    assert answer.status_code == 422
    assert answer.json()["pointer"] == "/fields/private_key"
    assert (customer.row().state, bytes(customer.row().envelope)) == ("refused", b"")


@pytest.mark.attack("IN17")
def test_nothing_that_was_given_or_refused_can_be_asked_back(embedded: World, client: Client) -> None:
    customer = Customer(embedded, client, "ssh-password")
    secret = customer.form.items[0].secret
    assert customer.seal(LOGIN | {"password": f"{CANARY} {CARD}"}).status_code == 422
    customer.form = Form.model_validate(client.get("/give/form").json())
    assert customer.seal(LOGIN | {"password": CANARY}).status_code == 200
    asked = [client.post("/give/again", json={"secret": secret})]
    for path in ("", f"?secret={secret}", "form", "check", "thanks", f"?given={secret}"):
        for accept in ("text/html", "application/json"):
            asked += [client.get(f"/give/{path}", headers={"Accept": accept}, follow_redirects=True)]
    said = [answer.text for answer in asked]
    assert not any(piece in text for text in said for piece in (CANARY, "4111", LOGIN["host"]))
