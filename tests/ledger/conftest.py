"""A small ledger with verbs, so that a test reads like what a forger does to it."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vault.ledger.bundle import write_bundle
from vault.ledger.checkpoint import Checkpoint
from vault.ledger.disclosure import Disclosure
from vault.ledger.entry import Entry
from vault.ledger.note import Signer
from vault.ledger.tree import Frontier
from vault.ledger.verify import Verdict, leaf_hash, verify_bundle

ORIGIN = "vault.example/dep_0123456789abcdefghjk"


def entry(seq: int, **changed) -> Entry:
    facts = {
        "time": 1_790_000_000_000_000 + 1_000 * seq,
        "type": "lease.reveal",
        "outcome": "done",
        "actor": "per_0123456789abcdefghjk",
        "channel": "page",
        "session": "ses_0123456789abcdefghjk",
        "ids": {"service": "svc_0123456789abcdefghjk", "ticket": "tkt_0123456789abcdefghjk"},
        "rows": (("lease/lse_0123456789abcdefghjk", "ab" * 32),),
        "disclosed": {"reason": "cd" * 32},
    }
    return Entry(**{"origin": ORIGIN, "seq": seq, **facts, **changed})


@dataclass
class SmallLedger:
    """Entries and the checkpoints that were signed on the way, every five entries."""

    folder: Path
    signer: Signer = field(default_factory=lambda: Signer(ORIGIN, bytes(range(32))))
    frontier: Frontier = field(default_factory=Frontier)
    entries: list[tuple[bytes, bytes]] = field(default_factory=list)
    disclosures: list[tuple[int, Disclosure]] = field(default_factory=list)
    checkpoints: dict[int, str] = field(default_factory=dict)

    def append(self, **changed) -> None:
        seq = self.frontier.size
        reason = Disclosure.of("reason", f"Lager {seq}: „Größe“ fehlt\n")
        body = entry(seq, **{"disclosed": {"reason": reason.digest()}, **changed}).encode()
        self.entries.append((leaf_hash(body), body))
        self.disclosures.append((seq, reason))
        self.frontier.push(leaf_hash(body))
        if self.frontier.size % 5 == 0:
            self.sign()

    def sign(self) -> str:
        head = Checkpoint(ORIGIN, self.frontier.size, self.frontier.root())
        self.checkpoints[head.size] = self.signer.sign(head.text())
        return self.checkpoints[head.size]

    def grown(self, size: int) -> "SmallLedger":
        for _ in range(size):
            self.append()
        return self

    def lines(self) -> list[bytes]:
        """The bundle's lines: the header, then entry n at n + 1, then the disclosures."""
        notes = [note for _, note in sorted(self.checkpoints.items())]
        written = b"".join(write_bundle(self.entries, self.disclosures, notes, self.signer.vkey, ORIGIN))
        return written.splitlines(keepends=True)

    def save(self, lines: list[bytes]) -> Path:
        path = self.folder / "ledger.bundle"
        path.write_bytes(b"".join(lines))
        return path

    def verify(self, lines: list[bytes], since: str = "") -> Verdict:
        return verify_bundle(self.save(lines), self.signer.vkey, since)


@pytest.fixture
def ledger(tmp_path: Path) -> SmallLedger:
    return SmallLedger(tmp_path).grown(20)


@pytest.fixture
def another(tmp_path: Path) -> SmallLedger:
    """An empty ledger of the same log and signer, for a second history."""
    return SmallLedger(tmp_path)
