"""The whole ledger as one text file that an auditor takes away; `verify` tells its layout and reads it."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence

from vault.errors import Invalid
from vault.ledger.disclosure import Disclosure
from vault.ledger.verify import MOST_CHECKPOINTS, canonical

_PIECE = 1 << 16


def write_bundle(
    entries: Iterable[tuple[bytes, bytes]],
    disclosures: Iterable[tuple[int, Disclosure]],
    checkpoints: Sequence[str],
    key: str,
    origin: str,
) -> Iterator[bytes]:
    """Write a bundle in pieces of about 64 KiB. Nothing is checked but order: that is the verifier's work.

    `entries` are stored leaf hashes and canonical bodies from entry 0 on, exactly as many as the last
    checkpoint covers. `disclosures` come by ascending entry. `checkpoints` are signed notes of ascending
    size, which let the verifier say where a rewriting begins; of more than it reads, evenly spaced ones are
    kept, and always the last. Raises Invalid without a checkpoint and for disclosures out of order.
    """
    piece = bytearray()
    for line in _lines(entries, disclosures, checkpoints, key, origin):
        piece += line
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _lines(
    entries: Iterable[tuple[bytes, bytes]],
    disclosures: Iterable[tuple[int, Disclosure]],
    checkpoints: Sequence[str],
    key: str,
    origin: str,
) -> Iterator[bytes]:
    if not checkpoints:
        raise Invalid("nothing is signed yet, so there is nothing to take away")
    kept = _spaced(checkpoints)
    yield canonical({"bundle": 1, "checkpoints": kept, "key": key, "origin": origin}) + b"\n"
    for leaf, body in entries:
        yield b"%b %b\n" % (b64encode(leaf), body)
    newest = 0
    for seq, disclosure in disclosures:
        if seq < newest:
            raise Invalid("a bundle lists disclosures by ascending entry")
        newest = seq
        yield b"+[%d,%b\n" % (seq, disclosure.encode()[1:])


def _spaced(checkpoints: Sequence[str]) -> list[str]:
    last, most = len(checkpoints) - 1, MOST_CHECKPOINTS - 1
    if last <= most:
        return list(checkpoints)
    return [checkpoints[step * last // most] for step in range(most + 1)]
