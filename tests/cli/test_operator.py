"""The operator's line to the server on the same host."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.operator import ask_server
from tests.cli.running import Valetkey
from vault.crypto.encoding import b64
from vault.crypto.passwords import Cost
from vault.crypto.protectors import KeyFile, Passphrase
from vault.errors import Denied, Sealed, Unavailable
from vault.values import Plaintext


@contextmanager
def server(place: Path, answer: Callable[[dict[str, object]], bytes]) -> Iterator[list[dict[str, object]]]:
    """A socket that answers each connection's one order, and remembers it."""
    orders: list[dict[str, object]] = []
    with socket.socket(socket.AF_UNIX) as listener:
        place.parent.mkdir(exist_ok=True)
        listener.bind(str(place))
        listener.listen()
        listener.settimeout(0.05)
        ended = threading.Event()

        def talk() -> None:
            while not ended.is_set():
                try:
                    line, _ = listener.accept()
                except TimeoutError:
                    continue
                line.settimeout(10)
                with line, line.makefile("rb") as lines:
                    orders.append(json.loads(lines.readline()))
                    line.sendall(answer(orders[-1]))

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield orders
        finally:
            ended.set()
            thread.join()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data" / "operator.sock"


def test_an_answer_is_given_and_a_refusal_raised(place: Path) -> None:
    refused = {"error": "Sealed", "message": "the vault is sealed", "hint": "unseal it", "pointer": ""}
    answers = {"status": {"ok": {"sealed": True}}, "doctor": refused}
    with server(place, lambda order: json.dumps(answers[str(order["do"])]).encode() + b"\n"):
        assert ask_server(place, "status") == {"sealed": True}
        with pytest.raises(Sealed, match="the vault is sealed") as caught:
            ask_server(place, "doctor")
        assert caught.value.hint == "unseal it"


@pytest.mark.parametrize("raw", [b"", b"{\n", b"[]\n", b'{"no": 1}\n', b"\xff\n"])
def test_a_strange_answer_is_unavailable(place: Path, raw: bytes) -> None:
    with server(place, lambda _: raw), pytest.raises(Unavailable):
        ask_server(place, "status")


def test_no_socket_and_a_dead_one_say_that_no_server_runs(place: Path) -> None:
    for prepare in (lambda: None, lambda: (place.parent.mkdir(), place.touch())):
        prepare()
        with pytest.raises(Unavailable, match="no server runs"):
            ask_server(place, "status")


def status_of(record: object) -> Callable[[dict[str, object]], bytes]:
    def answer(order: dict[str, object]) -> bytes:
        found = {"sealed": True, "protector": record} if order["do"] == "status" else None
        return json.dumps({"ok": found}).encode() + b"\n"

    return answer


def test_the_passphrase_stays_in_the_operators_process(
    place: Path, valetkey: Valetkey, tmp_path: Path
) -> None:
    root = bytes(range(32))
    record = Passphrase(
        Plaintext("correct horse battery"), Cost(memory=64 * 1024, passes=3, lanes=1)
    ).protect(root)
    with server(place, status_of(record)) as orders:
        ran = valetkey("unseal", typed="correct horse battery\n")
        assert ran.returncode == 0, ran.stderr
        assert orders == [{"do": "status"}, {"do": "unseal", "root_key": b64(root)}]
        (tmp_path / "passphrase").write_text("correct horse battery\n")
        assert valetkey("unseal", "--passphrase-file", "passphrase").returncode == 0
    assert "horse" not in json.dumps(orders)
    assert b64(root) not in (ran.stdout + ran.stderr).decode()


def test_a_wrong_passphrase_sends_nothing(place: Path, valetkey: Valetkey) -> None:
    cost = Cost(memory=64 * 1024, passes=3, lanes=1)
    record = Passphrase(Plaintext("correct horse battery"), cost).protect(bytes(32))
    with server(place, status_of(record)) as orders:
        ran = valetkey("unseal", typed="battery horse correct\n")
    assert ran.returncode == os.EX_NOPERM
    assert orders == [{"do": "status"}]
    assert b"horse" not in ran.stderr


def test_a_key_file_unseals_without_a_question(place: Path, valetkey: Valetkey, tmp_path: Path) -> None:
    record = KeyFile.make(tmp_path / "root.key").protect(bytes(32))
    with server(place, status_of(record)) as orders:
        ran = valetkey("unseal", "--key-file", "root.key")
    assert ran.returncode == 0, ran.stderr
    assert orders[-1] == {"do": "unseal", "root_key": b64(bytes(32))}
    with pytest.raises(Denied):
        KeyFile(tmp_path / "other.key").unprotect(record)


def test_a_doctors_alarm_is_seen_by_a_script(place: Path, valetkey: Valetkey) -> None:
    findings = [{"subject": "rows", "level": "ok", "text": "3 rows match"}]
    with server(place, lambda _: json.dumps({"ok": findings}).encode() + b"\n"):
        assert valetkey("doctor").stdout == b"ok  rows  3 rows match\n"
        findings.append({"subject": "clock", "level": "alarm", "text": "it jumped"})
        ran = valetkey("doctor", "--json")
    assert ran.returncode == 1
    assert json.loads(ran.stdout) == findings
