"""What a customer gives at the terminal: sealed in the process, to the right key, and lost by no mishap."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.playing import in_terminal
from tests.cli.running import PROGRAM, Answer, Asked, TinyServer, Valetkey, environment, serving
from tests.keys import openssh_key
from vault.crypto.encoding import b64, unb64
from vault.crypto.envelope import Context
from vault.crypto.opening import ServiceKey
from vault.crypto.statement import KeyStatement, sign_statement, statement_public
from vault.model.files import file_bytes
from vault.model.kinds import unpack_fields

DEPLOYMENT, SERVICE, KEY, SECRET = (f"{prefix}_{'0' * 20}" for prefix in ("dep", "svc", "key", "sec"))
SIGNING = bytes(range(32))
PRIVATE_KEY = openssh_key().replace("\n", "  \r\n", 1) + "\n"
TOKEN = "vk_giv_token"
LINE = f'expiry-time="20270101" ssh-ed25519 AAAA valetkey-{SERVICE}'


@dataclass
class Intake(TinyServer):
    """An intake whose service key the test holds, so that it can look into what arrived."""

    key: ServiceKey = field(default_factory=lambda: ServiceKey.from_seed(bytes(32)))
    signed_by: bytes = SIGNING
    about: str = SERVICE
    kind: str = "ssh-password"
    spent: bool = False
    fails: int = 0
    state: str = "started"
    pin: str = ""
    terms: dict[str, object] | None = None
    instead: str = ""
    version: int = 1
    has_given: bool = False

    def reply(self, asked: Asked) -> Answer:  # noqa: C901, PLR0911 (one for each answer of the protocol)
        kind = "application/json"
        body = json.loads(asked.body or b"null")
        match asked.method, asked.path:
            case "POST", "/give/begin":
                if self.pin and body.get("pin", "") != self.pin:
                    return (
                        403,
                        kind,
                        b'{"type": "urn:valetkey:problem:pin-needed", "detail": "A PIN, please."}',
                    )
                if self.spent or body["code"] != "CODE-CODE":
                    return 404, kind, b'{"type": "urn:valetkey:problem:not-found", "detail": "No such code."}'
                self.spent = True
                return 200, kind, json.dumps({**self.form(), "token": TOKEN}).encode()
            case _ if asked.headers.get("valetkey-give") != TOKEN:
                return 401, kind, b'{"type": "urn:valetkey:problem:not-signed-in", "detail": "No."}'
            case "GET", "/give/form":
                return 200, kind, json.dumps(self.form()).encode()
            case "POST", "/give/accept":
                self.terms = {**(self.terms or {}), "accepted": body == {"version": 3}}
                return 200, kind, json.dumps(self.form()).encode()
            case "POST", "/give/again":
                self.version, self.has_given = self.version + 1, False
                return 200, kind, json.dumps(self.form()).encode()
            case "POST", "/give/secret":
                self.fails -= 1
                if self.fails >= 0:
                    return 503, kind, b'{"type": "urn:valetkey:problem:busy", "detail": "Busy."}'
                receipt = {"answer": "receipt", "reference": "VK-1", "secret": SECRET, "version": 1}
                return 200, kind, json.dumps(receipt | {"given_at": "2026-11-22T18:00:00Z"}).encode()
            case "POST", "/give/done":
                self.state = "done"
                return 200, kind, json.dumps(self.form()).encode()
        return super().reply(asked)

    def form(self) -> dict[str, object]:
        keys = self.key.public_keys()
        statement = KeyStatement(DEPLOYMENT, self.about, KEY, b64(keys["xwing"]), b64(keys["x25519"]), 1)
        text, signature = sign_statement(self.signed_by, statement)
        item = {
            "secret": SECRET,
            "version": self.version,
            "kind": self.kind,
            "because": "",
            "required": True,
            "instead": self.instead,
            "line": LINE if self.instead else "",
        }
        return {
            "answer": "form",
            "state": self.state,
            "business": "Green Lane Web",
            "service": SERVICE,
            "service_title": "New shop",
            "deployment": DEPLOYMENT,
            "asked_by": "Clara Cole",
            "who_may_see": "Only who works on it.",
            "service_ends_at": "2026-12-31T18:00:00Z",
            "statement": text,
            "statement_signature": signature,
            "terms": self.terms,
            "items": [{**item, "given": self.has_given}],
        }

    def given(self) -> list[dict[str, str]]:
        sent = [json.loads(asked.body) for asked in self.asked if asked.path == "/give/secret"]
        assert all(body["sealed_by"] == "client" for body in sent)

        def opened(body: dict[str, Any]) -> dict[str, str]:
            context = Context(DEPLOYMENT, SERVICE, KEY, SECRET, body["version"], body["kind"])
            return unpack_fields(self.key.open(unb64(body["envelope"]), context))

        return [opened(body) for body in sent]

    def wire(self) -> bytes:
        return b"\n".join(
            asked.path.encode() + repr(asked.headers).encode() + asked.body for asked in self.asked
        )


@pytest.fixture
def intake() -> Iterator[Intake]:
    with serving(Intake()) as served:
        assert isinstance(served, Intake)
        yield served


KNOWN = b64(statement_public(SIGNING))
LINES = "shop.example.com\n\ndeploy\n pass word \t\n\n"


def link(intake: Intake) -> str:
    return f"{intake.url}/give#CODE-CODE"


@pytest.mark.promise("P3")
def test_what_is_typed_leaves_the_process_only_sealed(valetkey: Valetkey, intake: Intake) -> None:
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\n{LINES}")
    assert ran.returncode == 0, ran.stderr
    assert intake.given() == [
        {"host": "shop.example.com", "port": "22", "username": "deploy", "password": " pass word \t"}
    ]
    assert b"pass word" not in intake.wire()
    assert b"shop.example.com" not in intake.wire()
    assert ran.stdout.decode() == f"sealed: ssh-password for {SERVICE}, reference VK-1\n"
    assert b"pass word" not in ran.stderr
    assert intake.state == "done"


def test_a_key_file_is_taken_byte_for_byte(valetkey: Valetkey, intake: Intake, tmp_path: Path) -> None:
    intake.kind = "ssh-key"
    (tmp_path / "id").write_bytes(PRIVATE_KEY.encode())
    (tmp_path / "statement.pub").write_text(statement_public(SIGNING).hex() + "\n")
    ran = valetkey(
        "submit",
        "--json",
        "--statement-key",
        "statement.pub",
        "--url",
        intake.url,
        "--file",
        "private_key=id",
        typed="CODE-CODE\nshop.example.com\n2222\ndeploy\n\n\n",
    )
    assert ran.returncode == 0, ran.stderr
    assert intake.given()[0]["private_key"] == PRIVATE_KEY
    assert intake.given()[0]["port"] == "2222"
    assert json.loads(ran.stdout)[0]["reference"] == "VK-1"


@pytest.mark.promise("P3")
@pytest.mark.parametrize("wrong", [{"signed_by": bytes(32)}, {"about": "svc_" + "1" * 20}])
def test_nothing_is_asked_for_a_key_that_the_business_did_not_sign(
    valetkey: Valetkey, intake: Intake, wrong: dict[str, object]
) -> None:
    vars(intake).update(wrong)
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\n{LINES}")
    assert ran.returncode == os.EX_PROTOCOL
    assert intake.given() == []
    assert b"Server" not in ran.stderr
    assert b"nothing was asked or sent" in ran.stderr


@pytest.mark.promise("P7")
def test_a_card_number_is_refused_before_it_is_sealed(valetkey: Valetkey, intake: Intake) -> None:
    lines = "shop.example.com\n\ndeploy\n4111 1111 1111 1111\n\n"
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\n{lines}")
    assert ran.returncode == os.EX_DATAERR
    assert b"looks like a card number or card code, and those are never kept here" in ran.stderr
    assert b"hint: nothing was sent" in ran.stderr
    assert b"4111" not in ran.stderr
    assert intake.given() == []


def test_who_stops_half_way_goes_on_with_the_same_link(
    valetkey: Valetkey, intake: Intake, tmp_path: Path
) -> None:
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\nshop.example.com\n")
    assert ran.returncode == os.EX_DATAERR
    kept = list((tmp_path / "config" / "valetkey").iterdir())
    assert [place.stat().st_mode & 0o777 for place in kept] == [0o600]
    assert not any("CODE" in place.name + place.read_text() for place in kept)
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\n{LINES}")
    assert ran.returncode == 0, ran.stderr
    assert len(intake.given()) == 1
    assert list((tmp_path / "config" / "valetkey").iterdir()) == []


def test_a_wrong_path_does_not_cost_the_code(valetkey: Valetkey, intake: Intake) -> None:
    ran = valetkey(
        "submit", "--statement-key", KNOWN, "--file", "password=nowhere", typed=link(intake) + "\n"
    )
    assert ran.returncode == os.EX_NOINPUT
    assert not intake.spent


def test_what_could_not_be_sent_need_not_be_typed_again(intake: Intake, tmp_path: Path) -> None:
    intake.fails = 2
    typed = [link(intake), "shop.example.com", "", "deploy", "hunter2", "", "", "y"]
    shown, status = in_terminal(
        [*PROGRAM, "submit", "--statement-key", KNOWN],
        environment(tmp_path),
        [lambda line=line: line for line in typed],
    )
    assert status == 0, shown
    assert shown.count("error: busy") == 2
    assert "hunter2" not in shown
    assert [fields["password"] for fields in intake.given()] == ["hunter2"] * 3
    assert len({asked.body for asked in intake.asked if asked.path == "/give/secret"}) == 1, "one envelope"


def test_a_refused_sending_ends_where_nobody_watches(valetkey: Valetkey, intake: Intake) -> None:
    intake.fails = 1
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\n{LINES}")
    assert ran.returncode == os.EX_TEMPFAIL
    assert ran.stdout == b""


def test_a_bare_code_needs_to_know_where(valetkey: Valetkey) -> None:
    ran = valetkey("submit", "--statement-key", KNOWN, typed="CODE-CODE\n")
    assert ran.returncode == os.EX_DATAERR
    assert b"--url" in ran.stderr
    assert b"CODE-CODE" not in ran.stderr


@pytest.mark.attack("IN04")
def test_a_pin_is_asked_for_unseen_and_again_where_somebody_watches(intake: Intake, tmp_path: Path) -> None:
    intake.pin = "481516"
    typed = [link(intake), "111111", "481516", "shop.example.com", "", "deploy", "hunter2", ""]
    shown, status = in_terminal(
        [*PROGRAM, "submit", "--statement-key", KNOWN],
        environment(tmp_path),
        [lambda line=line: line for line in typed],
    )
    assert status == 0, shown
    assert shown.count("error: a PIN, please") == 1, "the first time it is only asked for"
    assert not [pin for pin in ("111111", "481516") if pin in shown]
    assert len(intake.given()) == 1


def test_a_wrong_pin_from_a_pipe_is_tried_once(valetkey: Valetkey, intake: Intake) -> None:
    intake.pin = "481516"
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\n111111\n481516\n")
    assert ran.returncode == os.EX_NOPERM
    assert [json.loads(asked.body).get("pin") for asked in intake.asked] == [None, "111111"]


@pytest.mark.parametrize("answer", ["yes", "no", ""])
def test_terms_are_accepted_by_an_explicit_yes(valetkey: Valetkey, intake: Intake, answer: str) -> None:
    intake.terms = {
        "version": 3,
        "text": "# Terms\n\nWe keep to them.",
        "effective_at": "2026-12-01T00:00:00Z",
        "accepted": False,
    }
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\n{answer}\n{LINES}")
    assert b"\n# Terms\n\nWe keep to them.\n" in ran.stderr
    assert b"version 3, in force from 2026-12-01 00:00 UTC" in ran.stderr
    assert (ran.returncode == 0) == (len(intake.given()) == 1) == (answer == "yes")
    assert ("/give/accept" in [asked.path for asked in intake.asked]) == (answer == "yes")


def test_a_key_of_theirs_is_added_instead_of_a_password(intake: Intake, tmp_path: Path) -> None:
    intake.instead = "ssh-added-key"
    typed = [link(intake), "y", "ssh -p 2222 deploy@shop.example.com", "", "", ""]
    shown, status = in_terminal(
        [*PROGRAM, "submit", "--statement-key", KNOWN],
        environment(tmp_path),
        [lambda line=line: line for line in typed],
    )
    assert status == 0, shown
    assert LINE in shown
    assert intake.given() == [{"host": "shop.example.com", "port": "2222", "username": "deploy"}]
    assert f"sealed: ssh-added-key for {SERVICE}" in shown


def test_a_script_says_beforehand_that_it_adds_the_key(valetkey: Valetkey, intake: Intake) -> None:
    intake.instead = "ssh-added-key"
    lines = "shop.example.com\n\ndeploy\n\n"
    ran = valetkey("submit", "--statement-key", KNOWN, "--add-key", typed=f"{link(intake)}\n{lines}")
    assert ran.returncode == 0, ran.stderr
    assert LINE.encode() in ran.stderr
    assert intake.given() == [{"host": "shop.example.com", "port": "22", "username": "deploy"}]
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\n")
    assert LINE.encode() not in ran.stderr


def test_what_was_given_is_asked_anew_under_a_new_version(valetkey: Valetkey, intake: Intake) -> None:
    intake.has_given = True
    ran = valetkey(
        "submit", "--statement-key", KNOWN, "--kind", "ssh-password", typed=f"{link(intake)}\n{LINES}"
    )
    assert ran.returncode == 0, ran.stderr
    paths = [asked.path for asked in intake.asked]
    assert paths.index("/give/again") < paths.index("/give/secret")
    (sent,) = [json.loads(asked.body) for asked in intake.asked if asked.path == "/give/secret"]
    assert sent["version"] == 2


@pytest.mark.parametrize(("answer", "sure"), [("y", True), ("n", False)])
def test_what_looks_misplaced_is_asked_about_before_it_is_sent(
    valetkey: Valetkey, intake: Intake, answer: str, sure: bool
) -> None:
    words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    lines = f"shop.example.com\n\ndeploy\n{words}\n\n{answer}\n"
    ran = valetkey("submit", "--statement-key", KNOWN, typed=f"{link(intake)}\n{lines}")
    sent = [json.loads(asked.body)["sure"] for asked in intake.asked if asked.path == "/give/secret"]
    assert sent == ([True] if sure else [])
    assert (ran.returncode == 0) == sure
    assert b"sausage" not in ran.stderr


@pytest.mark.parametrize(
    ("named", "typed", "name"),
    [
        ([], "keys/shop.p12\n\n", "shop.p12"),
        ([], "keys/shop.p12\nour.p12\n", "our.p12"),
        (["--file", "contents=keys/shop.p12"], "\n", "shop.p12"),
    ],
)
def test_a_file_is_sent_byte_for_byte_under_its_own_name_or_another(
    valetkey: Valetkey, intake: Intake, tmp_path: Path, named: list[str], typed: str, name: str
) -> None:
    intake.kind = "file"
    raw = bytes(range(256)) * 4
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "shop.p12").write_bytes(raw)
    ran = valetkey("submit", "--statement-key", KNOWN, *named, typed=f"{link(intake)}\n{typed}")
    assert ran.returncode == 0, ran.stderr
    (fields,) = intake.given()
    assert (fields["name"], file_bytes(fields["contents"])) == (name, raw)
