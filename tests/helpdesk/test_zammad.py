"""Zammad's default payload, in the shape of its documentation and with values of our own."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from vault.errors import Invalid, NotSignedIn
from vault.helpdesk.adapter import ADAPTERS
from vault.helpdesk.events import Closed, Event, Opened, Owned
from vault.helpdesk.zammad import Zammad

ZAMMAD = Zammad()
KEY = ZAMMAD.key_of("a token that somebody typed in")


def person(number: int, first: str, mail: str, roles: list[str]) -> dict[str, Any]:
    """A person as the documentation shows them."""
    return {
        "active": True,
        "created_at": "2026-01-07T08:00:00.000Z",
        "created_by": "-",
        "created_by_id": 1,
        "email": mail,
        "firstname": first,
        "id": number,
        "lastname": "Example",
        "login": mail,
        "out_of_office": False,
        "role_ids": [2],
        "roles": roles,
        "updated_at": "2026-01-07T08:00:00.000Z",
        "updated_by_id": 1,
        "verified": False,
        "vip": False,
    }


TOM = person(5, "Tom", "Tom@Agency.example", ["Agent"])
CLARA = person(3, "Clara", "clara@agency.example", ["Admin", "Agent"])
NOBODY = person(1, "-", "", [])


def ticket(**changed: Any) -> dict[str, Any]:
    """The documented default payload of a webhook, with the attribute that says of which service it is."""
    return {
        "ticket": {
            "article_count": 1,
            "article_ids": [204],
            "create_article_sender": "Customer",
            "create_article_type": "phone",
            "created_at": "2026-11-13T14:34:35.282Z",
            "created_by": CLARA,
            "created_by_id": 3,
            "customer": person(8, "Emil", "shop@acme.example", ["Customer"]),
            "customer_id": 8,
            "group": {"active": True, "id": 3, "name": "Service", "users": ["tom@agency.example"]},
            "group_id": 3,
            "id": 181,
            "last_contact_at": "2026-11-13T14:34:35.318Z",
            "last_owner_update_at": "2026-11-13T14:40:01.101Z",
            "number": "20181",
            "organization": {"active": True, "id": 3, "name": "Acme Garden Tools"},
            "organization_id": 3,
            "owner": TOM,
            "owner_id": 5,
            "preferences": {},
            "priority": {"active": True, "id": 2, "name": "2 normal"},
            "priority_id": 2,
            "state": "open",
            "state_id": 2,
            "ticket_time_accounting": [],
            "title": "The shop is down",
            "updated_at": "2026-11-13T14:40:01.333Z",
            "updated_by": CLARA,
            "updated_by_id": 3,
            "valetkey_service": "svc_0123456789abcdefghjk",
        }
        | changed,
        "article": {
            "attachments": [{"id": 174, "filename": "picture.png", "size": "35574"}],
            "body": "The shop, <div>and all of it</div>, is down",
            "content_type": "text/html",
            "created_by": CLARA,
            "id": 204,
            "internal": False,
            "ticket_id": 181,
            "type": "phone",
        },
    }


def opened(body: dict[str, Any], key: bytes = KEY, **headers: str) -> tuple[Event, ...]:
    raw = json.dumps(body).encode()
    made = "sha1=" + hmac.new(key, raw, hashlib.sha1).hexdigest()
    sent = {name.replace("_", "-"): [value] for name, value in ({"x_hub_signature": made} | headers).items()}
    return ZAMMAD.events(ZAMMAD.opened([KEY], sent, raw))


def test_both_kinds_are_registered_and_a_name_is_taken_once() -> None:
    assert set(ADAPTERS) >= {"standard", "zammad"}


def test_an_open_ticket_is_open_and_has_one_owner() -> None:
    first, second = opened(ticket())
    assert isinstance(first, Opened)
    assert first.how == "state"
    assert (first.ticket.reference, first.ticket.number, first.ticket.service) == (
        "181",
        "20181",
        "svc_0123456789abcdefghjk",
    )
    assert second == Owned(first.at, first.ticket, "tom@agency.example", "clara@agency.example")


@pytest.mark.parametrize("state", ["closed", "merged", {"id": 4, "name": "closed"}])
def test_a_closed_ticket_is_closed_whoever_owns_it(state: Any) -> None:
    (found,) = opened(ticket(state=state))
    assert isinstance(found, Closed)


def test_nobody_owns_a_ticket_of_nobody() -> None:
    for owner in (NOBODY, None, "tom@agency.example", TOM | {"email": "Tom Tanner"}):
        _, found = opened(ticket(owner=owner))
        assert isinstance(found, Owned)
        assert found.mail == ""


@pytest.mark.attack("AZ06")
def test_who_changed_something_else_later_does_not_pass_for_who_chose_the_owner() -> None:
    for chosen in ("2026-11-13T13:40:01.101Z", None):
        _, found = opened(ticket(last_owner_update_at=chosen))
        assert isinstance(found, Owned)
        assert found.by == ""


def test_a_ticket_that_names_no_service_is_none_of_ours() -> None:
    assert opened(ticket(valetkey_service=None)) == ()
    assert opened(ticket(valetkey_service="")) == ()


@pytest.mark.promise("P2")
@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha1=",
        hmac.new(KEY, b"", hashlib.sha1).hexdigest(),
        "sha1=" + "0" * 40,
        "sha256=" + "0" * 64,
        "SHA1=" + "0" * 40,
        "sha1=" + "0" * 40 + ",sha1=" + "0" * 40,
    ],
)
def test_another_signature_is_none(signature: str) -> None:
    with pytest.raises(NotSignedIn):
        opened(ticket(), x_hub_signature=signature)


def test_neither_upper_case_nor_another_key_nor_another_header_signs() -> None:
    raw = json.dumps(ticket()).encode()
    made = hmac.new(KEY, raw, hashlib.sha1).hexdigest()
    for name, value in (
        ("x-hub-signature", f"sha1={made.upper()}"),
        ("x-hub-signature-256", f"sha256={hmac.new(KEY, raw, hashlib.sha256).hexdigest()}"),
        ("x-zammad-delivery", "1"),
    ):
        with pytest.raises(NotSignedIn):
            ZAMMAD.opened([KEY], {name: [value]}, raw)
    with pytest.raises(NotSignedIn):
        opened(ticket(), key=b"another token")


def test_the_time_and_the_id_are_taken_from_what_is_signed_alone() -> None:
    raw = json.dumps(ticket()).encode()
    made = "sha1=" + hmac.new(KEY, raw, hashlib.sha1).hexdigest()
    deliveries = [
        ZAMMAD.opened([KEY], {"x-hub-signature": [made], "x-zammad-delivery": [which]}, raw)
        for which in ("one", "another")
    ]
    assert deliveries[0] == deliveries[1]
    assert deliveries[0].id == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"id": "181"}, "/ticket/id"),
        ({"id": True}, "/ticket/id"),
        ({"state": 2}, "/ticket/state"),
        ({"number": None}, "/ticket/number"),
        ({"updated_at": None}, "/ticket/updated_at"),
        ({"updated_at": "2026-11-13 14:40"}, "/ticket/updated_at"),
    ],
)
def test_what_is_not_understood_is_named_by_its_place(changed: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        opened(ticket(**changed))
    assert refused.value.pointer == pointer
