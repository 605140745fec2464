"""Every protector gives the root key back to who may have it, and is moved by no edited record."""

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from vault.crypto import protectors
from vault.crypto.passwords import Cost
from vault.crypto.protectors import (
    CEILING,
    COST,
    FLOOR,
    PROTECTORS,
    KeyFile,
    Passphrase,
    Protector,
    protector,
    protector_of,
)
from vault.errors import Conflict, Denied, Invalid, Tampered, Unavailable
from vault.values import Plaintext

ROOT = bytes(range(32))
WORDS = Plaintext("correct horse battery staple")
OTHER_WORDS = Plaintext("correct horse battery stable")

Hands = tuple[Plaintext | None, Path | None]


@pytest.fixture
def hands(tmp_path: Path) -> dict[str, tuple[Protector, Hands, Hands]]:
    """For each protector: one, what the rightful operator brings, what somebody else brings."""
    KeyFile.make(tmp_path / "root.key")
    KeyFile.make(tmp_path / "other.key")
    return {
        "passphrase": (Passphrase(WORDS, FLOOR), (WORDS, None), (OTHER_WORDS, None)),
        "file": (
            KeyFile(tmp_path / "root.key"),
            (None, tmp_path / "root.key"),
            (None, tmp_path / "other.key"),
        ),
    }


def unprotect(record: dict[str, object], brought: Hands) -> bytes:
    return protector_of(record, passphrase=brought[0], key_file=brought[1]).unprotect(record)


@pytest.fixture
def no_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> bytes:
        raise AssertionError("work was done for a record that must be refused before")

    monkeypatch.setattr(protectors, "hash_secret_raw", never)


@pytest.mark.parametrize("name", ["passphrase", "file"])
def test_the_contract_of_every_protector(name: str, hands: dict[str, tuple[Protector, Hands, Hands]]) -> None:
    assert set(hands) == set(PROTECTORS)  # a new protector must come here
    mine, rightful, wrong = hands[name]
    record: dict[str, object] = json.loads(json.dumps(mine.protect(ROOT)))
    assert list(record)[:2] == ["protector", "v"]
    assert (record["protector"], record["v"]) == (name, 1)
    assert unprotect(record, rightful) == ROOT

    with pytest.raises(Denied, match="does not open this vault"):
        unprotect(record, wrong)
    with pytest.raises(Denied, match="none was"):
        unprotect(record, (None, None))
    for broken in ({**record, "wrapped": "AQ"}, {**record, "wrapped": str(record["wrapped"])[:-4] + "AAAA"}):
        with pytest.raises(Denied):
            unprotect(broken, rightful)
    for broken in (
        {**record, "wrapped": "not base64!"},
        {**record, "wrapped": 1},
        {"protector": name, "v": 1},
    ):
        with pytest.raises(Tampered):
            unprotect(broken, rightful)
    assert mine.protect(ROOT)["wrapped"] != record["wrapped"]


@pytest.mark.attack("CR07")
@pytest.mark.usefixtures("no_argon2")
@pytest.mark.parametrize(
    "edited",
    [
        {"protector": "none"},
        {"protector": ""},
        {"protector": "Passphrase"},
        {"protector": None},
        {"protector": ["passphrase"]},
        {"v": 0},
        {"v": 2},
        {"v": None},
    ],
    ids=str,
)
def test_an_unknown_protector_or_version_is_refused(edited: dict[str, object]) -> None:
    with pytest.raises(Tampered):
        unprotect({**RECORD, **edited}, (WORDS, None))


RECORD: dict[str, object] = {
    "protector": "passphrase",
    "v": 1,
    "memory_kib": FLOOR.memory,
    "passes": FLOOR.passes,
    "lanes": FLOOR.lanes,
    "salt": "AAAAAAAAAAAAAAAAAAAAAA",
    "wrapped": "AQ",
}


@pytest.mark.attack("CR07")
@pytest.mark.usefixtures("no_argon2")
@pytest.mark.parametrize(
    "edited",
    [
        {"memory_kib": 8},
        {"memory_kib": FLOOR.memory - 1},
        {"memory_kib": CEILING.memory + 1},
        {"memory_kib": 2**31},
        {"memory_kib": 10**30},
        {"memory_kib": -FLOOR.memory},
        {"memory_kib": True},
        {"memory_kib": float(FLOOR.memory)},
        {"memory_kib": str(FLOOR.memory)},
        {"passes": 1},
        {"passes": 2},
        {"passes": 17},
        {"passes": 2**31},
        {"lanes": 0},
        {"lanes": 17},
        {"lanes": True},
        {"salt": ""},
        {"salt": "AAAA"},
        {"salt": None},
    ],
    ids=str,
)
def test_work_that_is_too_little_or_too_much_is_refused_before_it_starts(edited: dict[str, object]) -> None:
    with pytest.raises(Tampered):
        unprotect({**RECORD, **edited}, (WORDS, None))


@pytest.mark.attack("CR07")
def test_work_within_the_bounds_but_not_what_was_recorded_opens_nothing() -> None:
    record: dict[str, object] = dict(Passphrase(WORDS, FLOOR).protect(ROOT))
    for edited in ({"memory_kib": FLOOR.memory + 8}, {"passes": 4}, {"lanes": 2}, {"salt": RECORD["salt"]}):
        with pytest.raises(Denied):
            unprotect({**record, **edited}, (WORDS, None))


@pytest.mark.attack("CR07")
def test_a_record_cannot_be_turned_into_one_of_a_weaker_protector(tmp_path: Path) -> None:
    file = KeyFile.make(tmp_path / "root.key")
    record = dict(Passphrase(WORDS, FLOOR).protect(ROOT))
    with pytest.raises(Denied):
        file.unprotect({**record, "protector": "file"})


def test_a_new_record_is_never_made_below_the_floor() -> None:
    assert COST.within(FLOOR, CEILING)
    assert COST.memory == 1024 * 1024
    for cost in (
        Cost(8, 3, 1),
        Cost(FLOOR.memory, 1, 1),
        Cost(CEILING.memory + 1, 3, 1),
        Cost(FLOOR.memory, 3, 0),
    ):
        with pytest.raises(Invalid):
            Passphrase(WORDS, cost)


@pytest.mark.usefixtures("no_argon2")
def test_a_passphrase_that_is_too_short_or_cannot_be_typed_protects_nothing() -> None:
    for words in ("", "eleven char", "control\x00character", "lone \ud800 surrogate"):
        with pytest.raises(Invalid):
            Passphrase(Plaintext(words), FLOOR).protect(ROOT)


def test_a_passphrase_is_the_same_on_every_keyboard() -> None:
    record: dict[str, object] = dict(
        Passphrase(Plaintext("Schlu\u0308ssel\u00a0zum Tresor"), FLOOR).protect(ROOT)
    )
    assert unprotect(record, (Plaintext("Schl\u00fcssel zum Tresor"), None)) == ROOT


def test_a_host_without_memory_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> bytes:
        raise protectors.Argon2Error

    monkeypatch.setattr(protectors, "hash_secret_raw", no_memory)
    with pytest.raises(Unavailable, match="memory"):
        unprotect({**RECORD}, (WORDS, None))


def test_a_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        KeyFile.make(tmp_path / "root.key")
    finally:
        os.umask(old)
    status = (tmp_path / "root.key").stat()
    assert (status.st_mode & 0o7777, status.st_size) == (0o600, 32)
    with pytest.raises(Conflict):
        KeyFile.make(tmp_path / "root.key")
    with pytest.raises(Unavailable):
        KeyFile.make(tmp_path / "nowhere" / "root.key")


@pytest.mark.attack("CR07")
def test_a_key_file_that_others_may_read_or_that_is_no_file_is_refused(tmp_path: Path) -> None:
    file = KeyFile.make(tmp_path / "root.key")
    record = dict(file.protect(ROOT))
    for mode in (0o640, 0o604, 0o644, 0o660, 0o700, 0o200):
        (tmp_path / "root.key").chmod(mode)
        with pytest.raises(Denied, match=r"mode 0600|can read"):
            file.unprotect(record)
    (tmp_path / "root.key").chmod(0o400)
    assert file.unprotect(record) == ROOT

    def link(path: Path) -> None:
        path.symlink_to(tmp_path / "root.key")

    odd: dict[str, Callable[[Path], object]] = {
        "link": link,
        "pipe": lambda path: os.mkfifo(path, 0o600),
        "folder": lambda path: path.mkdir(0o700),
        "missing": lambda _: None,
        "short": lambda path: write(path, 31),
        "long": lambda path: write(path, 33),
        "empty": lambda path: write(path, 0),
    }
    for name, make in odd.items():
        make(tmp_path / name)
        with pytest.raises(Denied):
            KeyFile(tmp_path / name).unprotect(record)


def write(path: Path, size: int) -> None:
    path.write_bytes(secrets.token_bytes(size))
    path.chmod(0o600)


def test_a_taken_name_fails_at_import() -> None:
    with pytest.raises(RuntimeError, match="already"):
        protector("file")(KeyFile)
    assert PROTECTORS["file"] is KeyFile
