import json
import time

import pytest
from starlette.testclient import TestClient

from api.limits import SECRET_BODY, SMALL_BODY
from vault.errors import Invalid
from vault.strict_json import MOST_DEEP, MOST_FIELDS, read_json

from .conftest import spoken

HEAD = b"POST /api/v1/things HTTP/1.1\r\nHost: vault.example\r\nContent-Type: application/json\r\n"


def refused(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"].endswith(".")
    return problem


def post(
    client: TestClient, body: bytes, kind: str = "application/json", path: str = "/api/v1/things", **more: str
):
    return client.post(path, content=body, headers={"content-type": kind, **more})


def test_a_good_body_passes(client: TestClient) -> None:
    assert post(client, b'{"name": "M\\u00fcller \\ud83d\\ude00", "number": 9007199254740991}').json() == {
        "name": "Müller 😀",
        "number": 2**53 - 1,
    }
    assert post(client, b'{"name": "x"}', "application/json; charset=UTF-8").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": NaN}',
        b'{"name": "hunter2", "number": Infinity}',
        b'{"name": "hunter2", "number": -Infinity}',
        b'{"name": "hunter2", "number": ' + b"1" + b"0" * 30 + b"}",
        b'{"name": "hunter2", "number": ' + b"1" * 5000 + b"}",
        b'{"name": "hunter2", "number": 1e999}',
        b'{"name": "hunter2", "number": 1.5}',
        b'{"name": "hunter2", "number": true}',
        b'{"name": "hunter2\\ud800"}',
        b'{"name": "hunter2\\u0000"}',
        b'{"hunter2\\udfff": 1}',
        b'{"name": "hunter2", "name": "hunter2"}',
        b'{"name": "hunter2", "hunter2": 1}',
        b'{"name": ["hunter2"]}',
        b'{"name": "hunter2"',
        b'"hunter2"',
        b"hunter2",
        b'{"name": "hunter2\xff"}',
        b'{"name": "hunter2\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b"[" * 30_000 + b"]" * 30_000,
        b'{"name":' * 7_000 + b"1" + b"}" * 7_000,
        b"null",
    ],
    ids=lambda body: ascii(body[:40]),
)
@pytest.mark.attack("IN08")
def test_bad_json_is_a_sentence_and_is_not_repeated(client: TestClient, body: bytes) -> None:
    answer = post(client, body)
    refused(answer, 422)
    assert "hunter2" not in answer.text


@pytest.mark.attack("IN05")
def test_tens_of_thousands_of_fields_cost_their_sender_more_than_us(client: TestClient) -> None:
    body = json.dumps({f"k{number}": 1 for number in range(70_000)}).encode()
    begun = time.process_time()
    refused(post(client, body, path="/give/secret"), 422)
    assert time.process_time() - begun < 1
    form = "&".join(f"k{number}=1" for number in range(10_000)).encode()
    refused(
        post(client, form, "application/x-www-form-urlencoded", "/form"),
        413 if len(form) > SMALL_BODY else 422,
    )


def test_depth_and_fields_are_bounded_exactly() -> None:
    assert read_json(b"[" * MOST_DEEP + b"]" * MOST_DEEP) is not None
    with pytest.raises(Invalid, match="nested"):
        read_json(b"[" * (MOST_DEEP + 1) + b"]" * (MOST_DEEP + 1))
    assert len(read_json(json.dumps({str(n): n for n in range(MOST_FIELDS)}).encode())) == MOST_FIELDS
    with pytest.raises(Invalid, match="too many"):
        read_json(json.dumps({str(n): n for n in range(MOST_FIELDS + 1)}).encode())


@pytest.mark.attack("IN05")
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain", 415),
        ("", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=utf-8; hunter2", 415),
        ("application/jsonhunter2", 415),
    ],
)
def test_only_json_is_taken_by_the_api(client: TestClient, kind: str, status: int) -> None:
    answer = post(client, b'{"name": "hunter2"}', kind)
    refused(answer, status)
    assert "hunter2" not in answer.text


@pytest.mark.attack("IN05")
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_compressed_bodies_are_refused(client: TestClient, coding: str) -> None:
    refused(post(client, b"\x1f\x8b bomb", **{"content-encoding": coding}), 415)


@pytest.mark.attack("IN05")
def test_the_bound_is_exact_and_wider_for_a_secret(client: TestClient) -> None:
    def padded(size: int) -> bytes:
        return b'{"name": "' + b"x" * (size - 12) + b'"}'

    assert post(client, padded(SMALL_BODY)).status_code == 200
    refused(post(client, padded(SMALL_BODY + 1)), 413)
    assert post(client, padded(SECRET_BODY), path="/give/secret").json() == {"bytes": SECRET_BODY}
    refused(post(client, padded(SECRET_BODY + 1), path="/give/secret"), 413)


def test_an_endless_address_is_refused(client: TestClient) -> None:
    refused(client.get("/api/v1/thing?" + "x" * 9000), 414)


@pytest.mark.attack("IN05")
def test_ten_gigabytes_are_refused_before_they_come(address: tuple[str, int]) -> None:
    with spoken(address) as line:
        begun = time.monotonic()
        line.sendall(HEAD + b"Content-Length: 10737418240\r\n\r\n" + b"x" * 100)
        answer = line.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert time.monotonic() - begun < 1
        while line.recv(65536):  # and the line is closed, so that the rest is never read
            pass


@pytest.mark.attack("IN05")
@pytest.mark.parametrize("value", [b"0", b"{}", b'""', b"1e1"])
def test_a_million_small_values_are_refused_unread(client: TestClient, value: bytes) -> None:
    body = b"[" + value + (b"," + value) * ((SECRET_BODY - 10) // (len(value) + 1)) + b"]"
    begun = time.process_time()
    refused(post(client, body, path="/give/secret"), 422)
    assert time.process_time() - begun < 0.1


@pytest.mark.attack("IN05")
def test_bodies_that_never_end_hold_a_bounded_room_and_small_ones_still_pass(
    address: tuple[str, int], client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.limits.MOST_HELD", 2 * SECRET_BODY)
    head = HEAD.replace(b"/api/v1/things", b"/give/secret")
    large = b"Content-Length: %d\r\n\r\n" % SECRET_BODY + b"x" * (SECRET_BODY - 1)
    with spoken(address) as one, spoken(address) as two, spoken(address) as three, spoken(address) as four:
        one.sendall(head + large)
        two.sendall(head + large)
        time.sleep(0.3)
        three.sendall(head + large)
        assert three.recv(65536).startswith(b"HTTP/1.1 503 ")
        four.sendall(head + b"Content-Length: 2\r\n\r\n{}")
        assert four.recv(65536).startswith(b"HTTP/1.1 200 ")
        one.close()
        time.sleep(0.3)
    assert post(client, b"{}", path="/give/secret").status_code == 200


@pytest.mark.attack("IN05")
def test_a_large_body_that_only_trickles_is_given_up(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.limits.LONGEST_UPLOAD", 0.2)
    with spoken(address) as line:
        line.sendall(HEAD.replace(b"/api/v1/things", b"/give/secret") + b"Content-Length: 900000\r\n\r\nx")
        assert line.recv(65536).startswith(b"HTTP/1.1 503 ")


@pytest.mark.attack("IN05")
def test_an_endless_chunked_body_is_counted(address: tuple[str, int]) -> None:
    with spoken(address) as line:
        line.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
        sent = 0
        try:
            for _ in range(64):
                line.sendall(chunk)
                sent += len(chunk)
            answer = line.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            answer = b"HTTP/1.1 413 "  # it closed while we still talked
        assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "text", [b"NaN", b"[Infinity]", b'{"a": -Infinity}', b"1e999", b"9007199254740992", b"-1" + b"0" * 30]
)
def test_a_number_that_not_every_reader_keeps_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid):
        read_json(text)
    assert read_json(b"[-9007199254740991, 1.5]") == [-(2**53) + 1, 1.5]
