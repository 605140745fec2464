"""Standard Webhooks: what is signed, in which spelling, and what is said."""

import base64
import hmac

import pytest

from vault.errors import Invalid, NotSignedIn
from vault.helpdesk.events import Assigned, Delivery, Ended, Opened, Registered
from vault.helpdesk.standard import Standard
from vault.values import SECOND, Moment

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, SENT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""The vector that the specification's own libraries are tested with, in every language."""
STANDARD = Standard()
KEY = STANDARD.key_of(SECRET)


def headers(**changed: object) -> dict[str, list[str]]:
    said = {"webhook_id": MESSAGE, "webhook_timestamp": SENT, "webhook_signature": SIGNATURE} | changed
    return {
        name.replace("_", "-"): value if isinstance(value, list) else [str(value)]
        for name, value in said.items()
        if value is not None
    }


def test_the_published_vector_is_signed() -> None:
    assert STANDARD.opened([KEY], headers(), BODY) == Delivery(MESSAGE, Moment(1614265330 * SECOND), BODY)


def test_a_fresh_secret_is_one_of_the_specification() -> None:
    made = STANDARD.new_secret()
    assert made.startswith("whsec_")
    assert len(STANDARD.key_of(made)) == 32
    assert made != STANDARD.new_secret()


def test_any_of_several_signatures_and_any_of_our_keys_will_do() -> None:
    other = "v1," + base64.b64encode(bytes(32)).decode()
    several = f"v1a,AAAA {other} v2,xyz {SIGNATURE} nonsense"
    assert STANDARD.opened([b"another key of ours", KEY], headers(webhook_signature=several), BODY)


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "changed",
    [
        {"webhook_id": None},
        {"webhook_timestamp": None},
        {"webhook_signature": None},
        {"webhook_id": MESSAGE + "x"},
        {"webhook_id": "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330"},  # the full stop divides what is signed
        {"webhook_id": ""},
        {"webhook_timestamp": "1614265331"},
        {"webhook_timestamp": "01614265330"},
        {"webhook_timestamp": "1614265330.0"},
        {"webhook_timestamp": " 1614265330"},
        {"webhook_timestamp": "".join(chr(ord(digit) + 0xFEE0) for digit in SENT)},  # full-width
        {"webhook_timestamp": "-1"},
        {"webhook_timestamp": "NaN"},
        {"webhook_signature": SIGNATURE.removeprefix("v1,")},
        {"webhook_signature": SIGNATURE.replace("v1,", "V1,")},
        {"webhook_signature": SIGNATURE.replace("v1,", "v1=")},
        {"webhook_signature": SIGNATURE.replace("v1,", "v2,")},
        {"webhook_signature": SIGNATURE.rstrip("=")},
        {"webhook_signature": SIGNATURE.replace("+", "-").replace("/", "_")},
        {"webhook_signature": SIGNATURE[:-2] + "F="},  # other bits that a lenient reader would drop
        {"webhook_signature": SIGNATURE.replace("g0hM", "g0\nhM")},
        {"webhook_signature": "v1," + KEY.hex()},
        {"webhook_signature": ""},
        {"webhook_signature": " ".join(["v1,AAAA"] * 20 + [SIGNATURE])},
        {"webhook_signature": [SIGNATURE, SIGNATURE]},
        {"webhook_id": [MESSAGE, MESSAGE]},
        {"webhook_timestamp": [SENT, SENT]},
    ],
)
def test_nothing_else_is_signed(changed: dict[str, object]) -> None:
    with pytest.raises(NotSignedIn, match="no helpdesk has signed this"):
        STANDARD.opened([KEY], headers(**changed), BODY)


@pytest.mark.parametrize("body", [BODY + b" ", BODY.replace(b"2432", b"2433"), b"", b'{"test":2432232314}'])
def test_a_body_that_is_not_what_was_signed_is_refused(body: bytes) -> None:
    with pytest.raises(NotSignedIn):
        STANDARD.opened([KEY], headers(), body)


def test_without_a_key_nobody_signs_also_not_with_an_empty_one() -> None:
    empty = base64.b64encode(hmac.digest(b"", f"{MESSAGE}.{SENT}.".encode() + BODY, "sha256")).decode()
    for keys in ([], [b"a key of ours"]):
        with pytest.raises(NotSignedIn):
            STANDARD.opened(keys, headers(webhook_signature=f"v1,{empty}"), BODY)


# -- what is said ------------------------------------------------------------------------------------------------------

TICKET = b'"ticket":{"id":"81","service":"svc-9","number":"10081","title":"Down"}'
AT = b'"timestamp":"2026-11-03T20:26:10.344522Z"'


def said(kind: str, data: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'",' + AT + b',"data":{' + data + b"}}"


def events(body: bytes) -> tuple[object, ...]:
    return STANDARD.events(Delivery(MESSAGE, Moment(0), body))


def test_each_type_says_what_happened_and_when() -> None:
    (opened,) = events(said("ticket.opened", TICKET))
    assert isinstance(opened, Opened)
    assert (opened.at, opened.ticket.reference, opened.ticket.service) == (1793737570344522, "81", "svc-9")
    implied, put = events(
        said("ticket.assigned", TICKET + b',"assignee":"Tom@Agency.example","by":"clara@agency.example"')
    )
    assert isinstance(implied, Opened)
    assert implied.how == "implied"
    assert isinstance(put, Assigned)
    assert (put.mail, put.by, put.until) == ("tom@agency.example", "clara@agency.example", None)
    (registered,) = events(
        said(
            "service.registered",
            b'"service":{"id":"C-7","type":"installation","title":"Shop","ends_at":"2026-12-31T18:00:00+01:00"},'
            b'"customer":{"name":"Acme","mail":"shop@acme.example"}',
        )
    )
    assert isinstance(registered, Registered)
    assert registered.customer_mail == "shop@acme.example"
    assert events(said("service.ended", b'"service":{"id":"C-7"}')) == (
        Ended(Moment(1793737570344522), "C-7"),
    )
    assert events(said("ticket.priority_changed", b"")) == ()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""),
        (b"[]", ""),
        (b'{"type":"ticket.opened"}', "/timestamp"),
        (said("ticket.opened", b""), "/data/ticket"),
        (said("ticket.opened", b'"ticket":[]'), "/data/ticket"),
        (said("ticket.opened", b'"ticket":{"id":81}'), "/data/ticket/id"),
        (said("ticket.opened", b'"ticket":{"id":""}'), "/data/ticket/id"),
        (said("ticket.opened", b'"ticket":{"id":"' + b"x" * 81 + b'"}'), "/data/ticket/id"),
        (said("ticket.assigned", TICKET), "/data/assignee"),
        (said("ticket.assigned", TICKET + b',"assignee":"Tom Tanner"'), "/data/assignee"),
        (said("ticket.assigned", TICKET + b',"assignee":"t@x.example","until":"tomorrow"'), "/data/until"),
        (said("ticket.assigned", TICKET + b',"assignee":"t@x.example","until":"2026-12-31"'), "/data/until"),
        (said("service.registered", b'"service":{"id":"svc_1"},"customer":{}'), "/data/service/id"),
        (said("ticket.opened", TICKET).replace(AT, b'"timestamp":"9999-99-99T00:00:00Z"'), "/timestamp"),
        (said("ticket.opened", TICKET + b"," + TICKET), ""),  # twice the same name
        (b'{"type":"ticket.opened",' + AT + b',"data":' + b"[" * 40 + b"]" * 40 + b"}", ""),
        (b'{"type":"ticket.opened",' + AT + b',"data":{"ticket":1e999}}', ""),
        (b'\xff\xfe{"type"', ""),
    ],
)
@pytest.mark.attack("IN08")
def test_what_is_not_understood_is_named_by_its_place_and_not_repeated(body: bytes, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        events(body)
    assert refused.value.pointer == pointer
    assert "Tanner" not in str(refused.value)
