"""A bundle is verified offline, by the command and by the file that it prints."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli import desktop, session
from tests.cli.running import TinyServer, Valetkey
from vault.ledger.bundle import write_bundle
from vault.ledger.checkpoint import Checkpoint
from vault.ledger.entry import Entry
from vault.ledger.note import Signer
from vault.ledger.tree import Frontier
from vault.ledger.verify import leaf_hash

ORIGIN = "vault.example/dep_0123456789abcdefghjk"


@dataclass
class Taken:
    """A bundle of twelve entries on disk, the log's key, and an earlier checkpoint."""

    path: Path
    key: str
    earlier: Path


@pytest.fixture
def taken(tmp_path: Path) -> Taken:
    signer = Signer(ORIGIN, bytes(range(32)))
    frontier, entries, notes = Frontier(), [], []
    for seq in range(12):
        body = Entry(
            origin=ORIGIN,
            seq=seq,
            time=1_790_000_000_000_000 + seq,
            type="lease.reveal",
            outcome="done",
            actor="per_1",
            channel="cli",
            session="",
            ids={},
            rows=(),
            disclosed={},
        ).encode()
        entries.append((leaf_hash(body), body))
        frontier.push(leaf_hash(body))
        if frontier.size % 6 == 0:
            notes.append(signer.sign(Checkpoint(ORIGIN, frontier.size, frontier.root()).text()))
    path, earlier = tmp_path / "log.bundle", tmp_path / "earlier.checkpoint"
    path.write_bytes(b"".join(write_bundle(entries, [], notes, signer.vkey, ORIGIN)))
    earlier.write_text(notes[0])
    return Taken(path, signer.vkey, earlier)


@pytest.mark.promise("P6")
def test_a_true_bundle_verifies_by_key_and_by_a_held_checkpoint(valetkey: Valetkey, taken: Taken) -> None:
    ran = valetkey("audit", "verify", str(taken.path), "--key", taken.key, "--since", str(taken.earlier))
    assert ran.returncode == 0, ran.stderr
    assert b"verified" in ran.stdout
    ran = valetkey("audit", "verify", str(taken.path), "--key", taken.key, "--json")
    assert json.loads(ran.stdout)["verified"] is True
    assert json.loads(ran.stdout)["size"] == 12


def test_the_key_can_be_in_a_file(valetkey: Valetkey, taken: Taken, tmp_path: Path) -> None:
    (tmp_path / "log.key").write_text(taken.key + "\n")
    assert valetkey("audit", "verify", str(taken.path), "--key", "log.key").returncode == 0


@pytest.mark.promise("P6")
def test_without_key_or_checkpoint_it_claims_no_more_than_it_knows(valetkey: Valetkey, taken: Taken) -> None:
    ran = valetkey("audit", "verify", str(taken.path))
    assert ran.returncode == 0
    assert ran.stdout.startswith(b"self-consistent only")
    assert json.loads(valetkey("audit", "verify", str(taken.path), "--json").stdout)["verified"] is False


@pytest.mark.promise("P6")
def test_a_changed_entry_is_named_and_is_status_1(valetkey: Valetkey, taken: Taken) -> None:
    lines = taken.path.read_bytes().splitlines(keepends=True)
    lines[8] = lines[8].replace(b"per_1", b"per_2")
    taken.path.write_bytes(b"".join(lines))
    ran = valetkey("audit", "verify", str(taken.path), "--key", taken.key, "--json")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["first"] == 7
    assert ran.stderr.startswith(b"error: not verified: ")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("nowhere.bundle",), os.EX_NOINPUT),
        (("log.bundle", "--since", "nowhere"), os.EX_NOINPUT),
        (("log.bundle", "--key", "neither-key-nor-file"), os.EX_NOINPUT),
        ((".",), os.EX_NOINPUT),
    ],
)
def test_what_cannot_be_read_is_not_mistaken_for_a_verdict(
    valetkey: Valetkey, taken: Taken, arguments: tuple[str, ...], status: int
) -> None:
    ran = valetkey("audit", "verify", *arguments)
    assert ran.returncode == status
    assert ran.stdout == b""


@pytest.mark.promise("P6")
def test_the_printed_verifier_works_alone(valetkey: Valetkey, taken: Taken, tmp_path: Path) -> None:
    printed = valetkey("audit", "verifier").stdout
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "verify.py").write_bytes(printed)
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", str(taken.path), "--key", taken.key],
        cwd=tmp_path / "alone",
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(b"verified by")


@pytest.fixture
def auditor(
    valetkey: Valetkey, tiny: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Valetkey:
    """The command with a session at the tiny server."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(desktop, "keyring", lambda: None)
    session.keep(session.SignedIn(tiny.url, "vk_ses_x"))
    return valetkey


def test_an_export_is_a_new_file_of_its_owner_alone(
    auditor: Valetkey, tiny: TinyServer, taken: Taken, tmp_path: Path
) -> None:
    tiny.answer("GET", "/api/v1/ledger/bundle", 200, taken.path.read_bytes(), "text/plain")
    assert auditor("audit", "export", "mine").returncode == 0
    assert (tmp_path / "mine").read_bytes() == taken.path.read_bytes()
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600
    again = auditor("audit", "export", "mine")
    assert again.returncode == os.EX_CANTCREAT
    assert (tmp_path / "mine").read_bytes() == taken.path.read_bytes()
    assert auditor("audit", "export").stdout == taken.path.read_bytes()


def test_a_refused_export_leaves_no_file(auditor: Valetkey, tiny: TinyServer, tmp_path: Path) -> None:
    problem = {"type": "urn:valetkey:problem:denied", "detail": "Only an auditor may."}
    tiny.answer("GET", "/api/v1/ledger/bundle", 403, json.dumps(problem).encode())
    ran = auditor("audit", "export", "mine")
    assert ran.returncode == os.EX_NOPERM
    assert ran.stderr == b"error: only an auditor may\n"
    assert not (tmp_path / "mine").exists()


def test_a_checkpoint_is_printed_to_the_byte(auditor: Valetkey, tiny: TinyServer, taken: Taken) -> None:
    note = taken.earlier.read_text()
    answer = {"note": note, "key": taken.key, "size": 6}
    tiny.answer("GET", "/api/v1/ledger/checkpoint", 200, json.dumps(answer).encode())
    assert auditor("audit", "checkpoint").stdout.decode() == note


def test_pages_of_the_log_are_followed_up_to_what_was_asked(auditor: Valetkey, tiny: TinyServer) -> None:
    def entry(seq: int) -> dict[str, object]:
        return {
            "seq": seq,
            "at": "2026-11-22T18:00:00Z",
            "type": "lease.reveal",
            "outcome": "done",
            "actor": "per_1",
            "actor_name": "Tina\x1b[2J",
            "channel": "cli",
            "ids": {},
            "facts": {"reason": "disk full"},
        }

    pages = {"": ([9, 8], "8"), "?before=8": ([7, 6], "6"), "?before=6": ([5], None)}
    for query, (seqs, cursor) in pages.items():
        page = {"entries": [entry(seq) for seq in seqs], "next": cursor}
        tiny.answer("GET", f"/api/v1/ledger/entries{query}", 200, json.dumps(page).encode())
    every = auditor("audit", "list", "--json")
    assert [found["seq"] for found in json.loads(every.stdout)] == [9, 8, 7, 6, 5]
    some = auditor("audit", "list", "--most", "3")
    assert [line.split()[0] for line in some.stdout.decode().splitlines()] == ["9", "8", "7"]
    assert b"--before 7" in some.stderr
    assert b"\x1b" not in some.stdout
