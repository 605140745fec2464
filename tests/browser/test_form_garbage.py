"""What no page of ours sends, sent to the form all the same: a sentence, no echo, never a 500, and nothing given."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.gate import guarded
from api.intake.app import create_intake
from tests.browser.conftest import serving
from tests.browser.outside import CODE, Outside, settings_in

CANARY = "canary-Zq7w-hunter2"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def core(tmp_path: Path) -> Outside:
    return Outside(tmp_path)


@pytest.fixture
def client(core: Outside, tmp_path: Path) -> Iterator[httpx2.Client]:
    """A program that has begun, and sends what it likes."""

    def make(port: int) -> Any:
        settings = settings_in(tmp_path, port)
        return guarded(create_intake(core, settings), settings)

    with serving(make) as address, httpx2.Client(base_url=address) as client:
        begun = client.post("/give/begin", json={"code": CODE}, headers={"Valetkey-Client": "cli"})
        client.headers["Valetkey-Give"] = begun.json()["token"]
        yield client


def plain(**fields: str) -> str:
    filled = {"secret": "sec_0", "field.host": "shop.example", "field.port": "22", "field.username": "root"}
    return "&".join(
        f"{name}={value}" for name, value in {**filled, "field.password": CANARY, **fields}.items()
    )


BAD: list[tuple[str, str, dict[str, str], bytes | str, set[int]]] = [
    (
        "an unknown field",
        "/give/secret",
        JSON,
        f'{{"secret":"sec_0","version":1,"envelope":"AA","sealed_by":"browser","x":"{CANARY}"}}',
        {422},
    ),
    (
        "a wrong type",
        "/give/secret",
        JSON,
        f'{{"secret":"sec_0","version":"{CANARY}","envelope":"AA","sealed_by":"browser"}}',
        {422},
    ),
    (
        "a claim of the intake's",
        "/give/secret",
        JSON,
        '{"secret":"sec_0","version":1,"envelope":"AA","sealed_by":"intake"}',
        {422},
    ),
    (
        "NaN",
        "/give/secret",
        JSON,
        '{"secret":"sec_0","version":NaN,"envelope":"AA","sealed_by":"browser"}',
        {422},
    ),
    (
        "a version of 10^30",
        "/give/secret",
        JSON,
        f'{{"secret":"sec_0","version":1{"0" * 30},"envelope":"AA","sealed_by":"browser"}}',
        {422},
    ),
    (
        "half a character",
        "/give/secret",
        JSON,
        '{"secret":"\\ud800","version":1,"envelope":"AA","sealed_by":"browser"}',
        {422},
    ),
    (
        "NUL",
        "/give/secret",
        JSON,
        '{"secret":"\\u0000","version":1,"envelope":"AA","sealed_by":"browser"}',
        {422},
    ),
    ("no JSON", "/give/secret", JSON, CANARY, {422}),
    ("text", "/give/secret", {"Content-Type": "text/plain"}, CANARY, {415}),
    (
        "multipart",
        "/give/plain",
        {"Content-Type": "multipart/form-data; boundary=b"},
        f"--b\r\n\r\n{CANARY}\r\n--b--",
        {415},
    ),
    (
        "another charset",
        "/give/plain",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"},
        plain(),
        {415},
    ),
    ("compressed", "/give/plain", {**FORM, "Content-Encoding": "gzip"}, plain(), {415}),
    ("a field that is not asked", "/give/plain", FORM, plain(**{"field.card": CANARY}), {422}),
    ("a field twice", "/give/plain", FORM, plain() + f"&field.password={CANARY}", {422}),
    ("bytes that are no text", "/give/plain", FORM, plain(**{"field.password": "%ff%fe"}), {422}),
    ("NUL in a field", "/give/plain", FORM, plain(**{"field.password": CANARY + "%00"}), {422}),
    ("a line break in a password", "/give/plain", FORM, plain(**{"field.password": CANARY + "%0a"}), {422}),
    (
        "a password of 1025 characters",
        "/give/plain",
        FORM,
        plain(**{"field.password": CANARY.ljust(1025, "x")}),
        {422},
    ),
    (
        "a hundred thousand combining marks",
        "/give/plain",
        FORM,
        plain(**{"field.password": "a" + "%CC%81" * 100_000}),
        {422},
    ),
    ("another secret", "/give/plain", FORM, plain(secret="sec_9"), {404}),
    ("no secret", "/give/plain", FORM, CANARY, {404}),
    ("ten thousand fields", "/give/plain", FORM, "&".join(f"f{at}=1" for at in range(10_000)), {422}),
    ("fifty megabytes", "/give/plain", FORM, b"x" * 50_000_000, {413}),
    ("a code that is none", "/give/begin", FORM, f"code={CANARY}", {404}),
    ("a code of a megabyte", "/give/begin", FORM, "code=" + "A" * 60_000, {422}),
    ("no code", "/give/begin", FORM, "", {422}),
    ("another method's body", "/give/begin", JSON, '{"code": 1}', {422}),
    ("a PIN of a thousand digits", "/give/begin", FORM, f"code={CODE}&pin=" + "1" * 1000, {422}),
    ("a PIN that is a list", "/give/begin", JSON, f'{{"code": "{CODE}", "pin": ["{CANARY}"]}}', {422}),
    ("terms that are no number", "/give/accept", JSON, f'{{"version": "{CANARY}"}}', {422}),
    ("terms and more", "/give/accept", JSON, f'{{"version": 1, "x": "{CANARY}"}}', {422}),
    ("terms of version 0", "/give/accept", JSON, '{"version": 0}', {422}),
    ("nothing again", "/give/again", JSON, "{}", {422}),
    ("another secret again", "/give/again", JSON, '{"secret": "sec_9"}', {404}),
    ("garbage again", "/give/again", FORM, f"secret={CANARY}", {404}),
    ("a kind that was not offered", "/give/plain", FORM, plain(kind="api-token"), {422}),
    ("a kind that is none", "/give/plain", FORM, plain(kind=CANARY), {422}),
    (
        "a kind that is a list",
        "/give/secret",
        JSON,
        f'{{"secret":"sec_0","version":1,"envelope":"AA","sealed_by":"browser","kind":["{CANARY}"]}}',
        {422},
    ),
    (
        "a yes that is a word",
        "/give/secret",
        JSON,
        f'{{"secret":"sec_0","version":1,"envelope":"AA","sealed_by":"browser","sure":"{CANARY}"}}',
        {422},
    ),
]


@pytest.mark.attack("IN05", "IN07", "IN08")
@pytest.mark.parametrize(
    ("path", "headers", "body", "status"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_garbage_is_refused_in_a_sentence_that_repeats_nothing(
    client: httpx2.Client,
    core: Outside,
    path: str,
    headers: dict[str, str],
    body: bytes | str,
    status: set[int],
    accept: str,
) -> None:
    started = time.perf_counter()
    answer = client.post(path, content=body, headers={**headers, "Accept": accept})
    assert time.perf_counter() - started < 5
    assert answer.status_code in status, answer.text
    assert "hunter2" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert core.messages == []


@pytest.mark.attack("IN17")
def test_nothing_that_was_given_can_be_asked_back(client: httpx2.Client, core: Outside) -> None:
    assert client.post("/give/plain", content=plain(), headers=FORM).status_code == 303
    assert core.given["sec_0"]["password"] == CANARY
    for path in (
        "/give/",
        "/give/form",
        "/give/thanks",
        "/give/?secret=sec_0",
        "/give/secret",
        "/give/plain",
    ):
        answer = client.get(path)
        assert "hunter2" not in answer.text


@pytest.mark.attack("IN04")
def test_looking_at_the_form_changes_nothing(core: Outside, tmp_path: Path) -> None:
    def make(port: int) -> Any:
        settings = settings_in(tmp_path, port)
        return guarded(create_intake(core, settings), settings)

    with serving(make) as address:
        for method in ("GET", "HEAD", "OPTIONS"):
            for path in ("/give", "/give/", "/give/begin", "/give/form", "/give/thanks"):
                answer = httpx2.request(method, address + path)
                assert answer.status_code < 500
                assert "set-cookie" not in answer.headers
    assert core.browser == ""


def test_the_reference_on_the_receipt_is_never_markup(client: httpx2.Client) -> None:
    answer = client.get("/give/thanks?reference=%3Cb%3E&reference=x", headers={"Accept": "text/html"})
    assert "<b>" not in answer.text
    assert "Your reference" not in client.get("/give/thanks?reference=%3Cb%3E").text
