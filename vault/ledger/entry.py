"""What the ledger says about one deed, in the one spelling that is hashed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vault.errors import Invalid, Tampered
from vault.ledger.verify import BEYOND_INTEGERS, ENTRY, LONGEST_LINE, ascending, strict_json

LONGEST_ENTRY = LONGEST_LINE - 64
"""Bytes: what fits on a line of a bundle beside its leaf hash."""

_QUOTES_OF_AN_EMPTY_ENTRY = 36  # of twelve names and six strings


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed. Strings are printable ASCII but for quote and backslash; what is personal is disclosed apart.

    `time` is in microseconds since 1970 (UTC) and never goes back from entry to entry. `ids` name what it is
    about. `rows` are the rows that it changed, each with the SHA-256 of the row after the change in hex,
    empty where the row is gone. `disclosed` maps the names of its disclosures to their digests in hex.
    """

    origin: str
    seq: int
    time: int
    type: str
    outcome: str
    actor: str
    channel: str
    session: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[tuple[str, str], ...] = ()
    disclosed: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Spell it as canonical JSON (RFC 8785), at most `LONGEST_ENTRY` bytes. Raises Invalid.

        The text is put together by hand, which is four times as fast as `json`, and then held against the
        grammar. The grammar alone would take a value that holds quotes for two values, so the quotes are
        counted too.
        """
        ids, disclosed = self.ids, self.disclosed
        rows = ",".join([f'["{row}","{digest}"]' for row, digest in self.rows])
        text = (
            f'{{"actor":"{self.actor}","channel":"{self.channel}","disclosed":{{{_members(disclosed)}}},'
            f'"ids":{{{_members(ids)}}},"origin":"{self.origin}","outcome":"{self.outcome}","rows":[{rows}],'
            f'"seq":{self.seq},"session":"{self.session}","time":{self.time},"type":"{self.type}","v":1}}'
        )
        quotes = _QUOTES_OF_AN_EMPTY_ENTRY + 4 * (len(ids) + len(disclosed) + len(self.rows))
        if (
            not text.isascii()
            or text.count('"') != quotes
            or not ENTRY.fullmatch(body := text.encode())
            or len(body) > LONGEST_ENTRY
            or not self.seq < BEYOND_INTEGERS > self.time
        ):
            raise Invalid("this cannot be written as an entry of the ledger")
        return body


def _members(mapping: Mapping[str, str]) -> str:
    return ",".join([f'"{name}":"{value}"' for name, value in sorted(mapping.items())])


def decode(body: bytes) -> Entry:
    """Read an entry back. Raises Tampered unless it is spelt exactly as `encode` spells it."""
    found = ENTRY.fullmatch(body)
    if not found or len(body) > LONGEST_ENTRY or not ascending(found[3]) or not ascending(found[4]):
        raise Tampered("an entry of the ledger is not in its canonical form")
    seq, time = int(found[8]), int(found[10])
    if seq >= BEYOND_INTEGERS or time >= BEYOND_INTEGERS:
        raise Tampered("an entry of the ledger holds a number beyond all bounds")
    known = strict_json(body, "an entry")
    return Entry(
        origin=known["origin"],
        seq=seq,
        time=time,
        type=known["type"],
        outcome=known["outcome"],
        actor=known["actor"],
        channel=known["channel"],
        session=known["session"],
        ids=known["ids"],
        rows=tuple((row, digest) for row, digest in known["rows"]),
        disclosed=known["disclosed"],
    )
