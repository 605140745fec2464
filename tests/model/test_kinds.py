"""Every kind of secret: what it takes, what it refuses and how it is spelt."""

import json

import pytest

from api import core
from api.intake import door
from api.limits import SECRET_BODY
from tests.keys import PASSPHRASE
from tests.logins import ALSO_GOOD, GOOD, LOCKED, WRONG
from vault.crypto.encoding import b64
from vault.crypto.envelope import Context
from vault.crypto.opening import ServiceKey
from vault.crypto.sealing import seal
from vault.crypto.suites import SUITES, Suite
from vault.errors import Invalid
from vault.model.files import LARGEST, file_value
from vault.model.kind import READERS, kind
from vault.model.kinds import KINDS, Field, Kind, judge, kind_named, pack_fields, unpack_fields
from vault.model.messages import Give

KIND_NAMES = {
    "ssh-password",
    "ssh-key",
    "ssh-added-key",
    "sftp",
    "ftp",
    "control-panel",
    "database",
    "rdp",
    "api-token",
    "totp-seed",
    "registrar",
    "payment-provider",
    "note",
    "file",
}
FIELDS = [(name, field) for name, one in sorted(KINDS.items()) for field in one.fields]

each_kind = pytest.mark.parametrize("name", sorted(KIND_NAMES))
each_field = pytest.mark.parametrize(
    ("name", "field"), FIELDS, ids=[f"{name}.{field.name}" for name, field in FIELDS]
)


def test_the_sweeps_below_see_every_kind_and_every_field() -> None:
    """The canary: a kind or field without samples would pass them all."""
    assert set(KINDS) == set(GOOD) == KIND_NAMES
    assert {name: [field.name for field in KINDS[name].fields] for name in KINDS} == {
        name: list(fields) for name, fields in GOOD.items()
    }
    assert {field.name for _, field in FIELDS} == set(WRONG)


@each_kind
def test_a_good_login_is_taken_and_judged_good(name: str) -> None:
    KINDS[name].check(GOOD[name])
    assert KINDS[name].faults(GOOD[name]) == {}
    judge(name, GOOD[name])
    assert unpack_fields(pack_fields(GOOD[name])) == GOOD[name]


@each_kind
def test_what_may_be_left_out_may_be_left_out_and_nothing_else(name: str) -> None:
    needed = {field.name for field in KINDS[name].fields if field.required}
    assert needed
    KINDS[name].check({one: GOOD[name][one] for one in needed})
    assert set(KINDS[name].faults({})) == needed
    for one in needed:
        with pytest.raises(Invalid, match=r"^(Enter|Choose) the ") as refusal:
            KINDS[name].check(GOOD[name] | {one: ""})
        assert refusal.value.pointer == f"/fields/{one}"


@each_field
def test_each_wrong_value_is_refused_at_its_field_and_never_repeated(name: str, field: Field) -> None:
    for wrong in WRONG[field.name]:
        with pytest.raises(Invalid) as refusal:
            KINDS[name].check(GOOD[name] | {field.name: wrong})
        assert refusal.value.pointer == f"/fields/{field.name}", wrong[:40]
        assert len(wrong) < 6 or wrong not in str(refusal.value)
        assert str(refusal.value) == KINDS[name].faults(GOOD[name] | {field.name: wrong})[field.name]
        with pytest.raises(Invalid):
            judge(name, GOOD[name] | {field.name: wrong})


@each_field
def test_what_people_really_have_is_taken(name: str, field: Field) -> None:
    for good in (*ALSO_GOOD.get(field.name, ()), field.example, field.default, *field.choices):
        if good or not field.required:
            KINDS[name].check(GOOD[name] | {field.name: good})


@each_kind
def test_a_field_that_the_kind_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="does not have"):
        KINDS[name].check(GOOD[name] | {"card": "x"})
    with pytest.raises(Invalid, match="no such field"):
        KINDS[name].field("card")


@each_kind
def test_every_kind_speaks_to_its_customer(name: str) -> None:
    one = KINDS[name]
    assert one.hint.endswith(".")
    assert one.because.startswith("to ")
    assert not one.because.endswith(".")
    assert one.title[0].isupper()
    assert one.__doc__
    assert any(field.secret for field in one.all_fields)
    for field in one.fields:
        assert field.title[0].isupper()
        assert not field.title.endswith(".")
        assert bool(field.pattern) == bool(field.wrong)
        assert field.reads in {"", "ssh-command", *READERS}
        assert field.secret or not field.multiline


@pytest.mark.promise("P7")
def test_extraordinary_are_the_two_that_the_promise_names() -> None:
    assert {name for name, one in KINDS.items() if one.extraordinary} == {"registrar", "payment-provider"}


def test_a_key_of_ours_is_offered_instead_of_the_passwords_of_a_shell() -> None:
    assert {name: one.instead for name, one in KINDS.items() if one.instead} == {
        "ssh-password": "ssh-added-key",
        "sftp": "ssh-added-key",
    }
    ours = KINDS["ssh-added-key"]
    assert not any(field.secret for field in ours.fields)
    assert [field.name for field in ours.made] == ["private_key"]
    assert ours.field("private_key").secret
    assert ours.all_fields == ours.fields + ours.made
    with pytest.raises(Invalid, match="does not have"):
        ours.check(GOOD["ssh-added-key"] | {"private_key": GOOD["ssh-key"]["private_key"]})


def test_whatever_can_be_given_instead_asks_for_nothing_more() -> None:
    for one in KINDS.values():
        if one.instead:
            asked = {field.name: field for field in one.fields}
            assert all(asked[field.name] == field for field in KINDS[one.instead].fields)


def test_a_protected_key_needs_its_passphrase() -> None:
    locked = GOOD["ssh-key"] | LOCKED
    with pytest.raises(Invalid, match="protected by a passphrase") as refusal:
        KINDS["ssh-key"].check(locked)
    assert refusal.value.pointer == "/fields/passphrase"
    assert set(KINDS["ssh-key"].faults(locked)) == {"passphrase"}
    KINDS["ssh-key"].check(locked | {"passphrase": "not checked here"})
    judge("ssh-key", locked | {"passphrase": PASSPHRASE})
    with pytest.raises(Invalid, match="does not open the key") as refusal:
        judge("ssh-key", locked | {"passphrase": f" {PASSPHRASE}"})
    assert refusal.value.pointer == "/fields/passphrase"


@pytest.mark.attack("IN16")
def test_the_largest_file_fits_and_no_larger_one() -> None:
    fields = {"name": "x" * 255, "contents": file_value(bytes([255]) * LARGEST)}
    judge("file", fields)
    assert unpack_fields(pack_fields(fields)) == fields
    with pytest.raises(Invalid, match="at most 1 MiB"):
        file_value(bytes(LARGEST + 1))


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_the_largest_file_passes_every_door(suite: Suite) -> None:
    """From the browser to the core each has its own bound, and each is above the largest that can be sealed."""
    key = ServiceKey.from_seed(bytes(32))
    row = Context("dep_1", "svc_1", "key_1", "sec_1", 1, "file")
    packed = pack_fields({"name": "x" * 255, "contents": file_value(bytes([255]) * LARGEST)})
    envelope = seal(packed, suite, key.public_keys()[suite.name], row)
    spelt = b64(envelope)
    give = Give(
        browser="b" * 100, secret="s" * 40, version=1, envelope=spelt, sealed_by="browser", kind="file"
    )
    line = give.model_dump_json().encode()
    assert len(line) < min(SECRET_BODY, core.LONGEST_LINE, door.LONGEST_LINE)
    assert key.open(envelope, row) == packed


def test_what_is_sealed_is_json_of_sorted_names() -> None:
    assert json.loads(pack_fields({"b": "1", "a": "ß"})) == {"fields": {"a": "ß", "b": "1"}, "v": 1}
    with pytest.raises(Invalid):
        pack_fields({"a": "x" * 1_600_000})
    with pytest.raises(Invalid):
        pack_fields({"a": "\ud800"})
    for packed in (
        b"",
        b"{}",
        b'{"fields":{"a":1},"v":1}',
        b'{"fields":{},"v":2}',
        b"[" * 100_000,
        b" " * 1_600_000,
    ):
        with pytest.raises(Invalid):
            unpack_fields(packed)


def test_a_name_is_registered_once_and_an_unknown_one_is_refused() -> None:
    with pytest.raises(TypeError, match="two kinds"):
        kind("note")(Kind)

    class Double(Kind):
        fields = (Field("a", "A"), Field("a", "A"))

    with pytest.raises(TypeError, match="two fields"):
        kind("double")(Double)
    assert "double" not in KINDS
    with pytest.raises(Invalid) as refusal:
        kind_named("card")
    assert refusal.value.pointer == "/kind"
