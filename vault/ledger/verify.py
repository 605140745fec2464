"""Check a bundle of the ledger offline: one file, the standard library alone, nothing from the server.

    python verify.py BUNDLE [--key VKEY] [--since FILE]

`--key` is the log's public key, got from somewhere else than the bundle; `--since` is a file with a signed
checkpoint that you hold from before. Without either, all that is shown is that the bundle agrees with itself.

Exit status: 0 verified, 1 not verified (the sentence names the first bad entry), 2 wrong usage or a file that
cannot be read.

A bundle is text. Line 1 is a JSON header with the origin, the key and the signed checkpoints, ascending. Then
comes one line an entry, `<leaf hash in base64> <canonical entry>`, from entry 0 on; then, by ascending entry,
one line a disclosure, `+[entry,"salt","name","value"]`. The last checkpoint covers every entry.

Formats: RFC 6962 and RFC 9162 (tree), RFC 8032 (Ed25519), RFC 8785 (canonical JSON), and C2SP signed-note and
tlog-checkpoint. This one file is longer than any other here, because it must be enough when it is copied
alone.
"""

import argparse
import binascii
import hashlib
import json
import re
import sys
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, NoReturn

LONGEST_LINE = 1 << 20
LONGEST_NOTE = 1 << 16
MOST_CHECKPOINTS = 256
MOST_SIGNATURES = 64
BEYOND_INTEGERS = 1 << 53
EMPTY_ROOT = sha256(b"").digest()
_HASH = 32
_NEWLINE = ord("\n")
_AFTER_ENTRIES = {b"", b"+["}  # the end or a disclosure; a leaf hash may begin with a plus, too
_PARTS = 3  # a verifier key is name, id, key; a signature line is dash, name, signature
ED25519 = b"\x01"  # the algorithm's byte in C2SP signed-note

# The whole grammar of an entry. Strings hold neither quote nor backslash, so that each has one spelling and
# the next quote ends it; what the grammar cannot say (ascending names, integers below 2^53) is checked beside
# it.
_TEXT = rb'"([ !#-\[\]-~]*+)"'
_ANY = rb'"[ !#-\[\]-~]*+"'
_NAME = rb'"[a-z][a-z0-9_.-]{0,63}+"'
_DIGEST = rb'"[0-9a-f]{64}"'
_NUMBER = rb"(0|[1-9][0-9]{0,15})"


def _listed(item: bytes) -> bytes:
    return rb"((?:%b(?:,%b)*+)?+)" % (item, item)


ENTRY = re.compile(
    rb'\{"actor":%b,"channel":%b,"disclosed":\{%b\},"ids":\{%b\},"origin":%b,"outcome":%b,'
    rb'"rows":\[%b\],"seq":%b,"session":%b,"time":%b,"type":%b,"v":1\}'
    % (
        *(_TEXT, _TEXT, _listed(_NAME + b":" + _DIGEST), _listed(_NAME + b":" + _ANY), _TEXT, _TEXT),
        *(_listed(rb'\[%b,"(?:[0-9a-f]{64})?"\]' % _ANY), _NUMBER, _TEXT, _NUMBER, _TEXT),
    )
)
_NAMES = re.compile(rb'"([a-z][a-z0-9_.-]*+)":')
_ORIGIN = re.compile(r"[!#-*,-\[\]-~]{1,255}")


class NotVerified(Exception):
    """It does not verify. The message is a sentence that repeats nothing of what was read.

    `first` is the first bad entry, or None where no entry is to blame; `last` ends the range where only a
    range is known. Entries before `vouched` agree with a signed checkpoint.
    """

    def __init__(
        self, message: str, first: int | None = None, last: int | None = None, vouched: int = 0
    ) -> None:
        super().__init__(message)
        self.first = first
        self.last = first if last is None else last
        self.vouched = vouched


# The tree


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry, to 32 bytes, as a leaf (RFC 6962, 2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees together, to 32 bytes (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Hash the complete subtrees of a tree, largest first, to its root; none give the empty tree's root."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in hashes[-2::-1]:
        root = sha256(b"\x01" + left + root).digest()
    return root


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf is at `index` in the tree of that size and root (RFC 9162, 2.1.3.2).

    Raises NotVerified.
    """
    if not 0 <= index < size or any(len(part) != _HASH for part in (leaf, root, *proof)):
        raise NotVerified("the inclusion proof is not well formed")
    at, end, node = index, size - 1, leaf
    for part in proof:
        if end == 0:
            raise NotVerified("the inclusion proof is too long")
        if at & 1 or at == end:
            node = node_hash(part, node)
            while at and not at & 1:
                at, end = at >> 1, end >> 1
        else:
            node = node_hash(node, part)
        at, end = at >> 1, end >> 1
    if end or node != root:
        raise NotVerified("the inclusion proof does not lead to the root", index)


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of size `new` extends the one of size `old` (RFC 9162, 2.1.4.2).

    Raises NotVerified, also for the empty tree: to be consistent with nothing says nothing.
    """
    if not 0 < old <= new or not all(len(part) == _HASH for part in proof):
        raise NotVerified("the consistency proof is not well formed")
    if old == new:
        if proof or old_root != new_root:
            raise NotVerified("two trees of one size have different roots")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise NotVerified("the consistency proof is not well formed")
    at, end = old - 1, new - 1
    start = (~at & -~at).bit_length() - 1  # the subtrees that both trees share whole
    at, end = at >> start, end >> start
    before = after = path[0]
    for part in path[1:]:
        if end == 0:
            raise NotVerified("the consistency proof is too long")
        if at & 1 or at == end:
            before, after = node_hash(part, before), node_hash(part, after)
            while at and not at & 1:
                at, end = at >> 1, end >> 1
        else:
            after = node_hash(after, part)
        at, end = at >> 1, end >> 1
    if end or before != old_root or after != new_root:
        raise NotVerified("the newer tree does not extend the older one")


# Ed25519 (RFC 8032, 5.1) on extended coordinates. Everything here is public, so nothing needs constant time.

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]


def _point(encoded: bytes) -> _Point | None:
    y = int.from_bytes(encoded, "little")
    odd, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    above, below = y * y - 1, _D * y * y + 1
    x = above * pow(below, 3, _P) * pow(above * pow(below, 7, _P), (_P - 5) // 8, _P) % _P
    if (below * x * x - above) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (below * x * x - above) % _P or (x == 0 and odd):
        return None
    if x & 1 != odd:
        x = _P - x
    return x, y, 1, x * y % _P


def _add(one: _Point, two: _Point) -> _Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % _P, (one[1] + one[0]) * (two[1] + two[0]) % _P
    c, d = 2 * _D * one[3] * two[3] % _P, 2 * one[2] * two[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(one: _Point) -> _Point:
    a, b, c = one[0] * one[0] % _P, one[1] * one[1] % _P, 2 * one[2] * one[2] % _P
    h = a + b
    e, g = h - (one[0] + one[1]) ** 2 % _P, a - b
    f = c + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiples(one: _Point) -> list[_Point]:
    found: list[_Point] = [(0, 1, 1, 0)]
    for _ in range(15):
        found.append(_add(found[-1], one))
    return found


_BASE = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
_BASES = _multiples(_BASE) if _BASE else []


def ed25519_verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether the 64-byte signature is the 32-byte public key's over the message.

    Strict: coordinates and scalars in their one spelling and no cofactor, as OpenSSL does it, and no key of
    small order, for which one signature fits every message.
    """
    if len(public) != _HASH or len(signature) != 2 * _HASH:
        return False
    key, scalar = _point(public), int.from_bytes(signature[_HASH:], "little")
    if key is None or scalar >= _ORDER or _double(_double(_double(key)))[0] == 0:
        return False
    digest = hashlib.sha512(signature[:_HASH] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    keys = _multiples((_P - key[0], key[1], 1, _P - key[3]))
    total: _Point = (0, 1, 1, 0)
    for shift in range(252, -4, -4):
        total = _double(_double(_double(_double(total))))
        total = _add(_add(total, _BASES[scalar >> shift & 15]), keys[challenge >> shift & 15])
    unit = pow(total[2], -1, _P)
    x, y = total[0] * unit % _P, total[1] * unit % _P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:_HASH]


# Notes and checkpoints

SignatureCheck = Callable[[bytes, bytes, bytes], bool]


def _from_base64(text: str, what: str) -> bytes:
    try:
        decoded = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        raise NotVerified(f"{what} is not base64") from None
    if b2a_base64(decoded, newline=False) != text.encode("ascii"):
        raise NotVerified(f"{what} is not base64 in its one spelling")
    return decoded


def is_key_name(name: str) -> bool:
    """Tell whether C2SP signed-note allows it as a key's name: not empty, printable, no spaces, no plus."""
    return (
        bool(name)
        and name.isprintable()
        and not any(character.isspace() or character == "+" for character in name)
    )


def key_id(name: str, public: bytes) -> bytes:
    """Give the four bytes that go before each signature of that Ed25519 key (C2SP signed-note)."""
    return sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def parse_vkey(vkey: str) -> tuple[str, bytes, bytes]:
    """Take a C2SP verifier key `name+id+base64` apart: name, key id, public key. Raises NotVerified."""
    parts = vkey.split("+", 2)
    if len(vkey) > LONGEST_NOTE or len(parts) != _PARTS or not is_key_name(parts[0]):
        raise NotVerified("the key is not a verifier key")
    raw = _from_base64(parts[2], "the key")
    public = raw[1:]
    if raw[:1] != ED25519 or len(public) != _HASH or key_id(parts[0], public).hex() != parts[1]:
        raise NotVerified("the key is not an Ed25519 verifier key, or was mistyped")
    return parts[0], bytes.fromhex(parts[1]), public


def open_note(note: str, vkey: str, check: SignatureCheck = ed25519_verify) -> str:
    """Give the text, final newline included, of a C2SP signed note that this key has signed.

    Signatures of other keys are passed over; one of this key that is wrong spoils the note. Raises
    NotVerified.
    """
    name, number, public = parse_vkey(vkey)
    if len(note) > LONGEST_NOTE or not note.endswith("\n"):
        raise NotVerified("the note is not a signed note")
    if any(character < " " and character != "\n" for character in note):
        raise NotVerified("the note holds control characters")
    text, blank, tail = note.rpartition("\n\n")
    lines = tail.split("\n")[:-1]
    if not blank or not 0 < len(lines) <= MOST_SIGNATURES:
        raise NotVerified("the note is not a signed note")
    text += "\n"
    try:
        message = text.encode()
    except UnicodeEncodeError:
        raise NotVerified("the note is not UTF-8") from None
    signed = False
    for line in lines:
        parts = line.split(" ")
        if len(parts) != _PARTS or parts[0] != "—" or not is_key_name(parts[1]):
            raise NotVerified("a signature line of the note is not well formed")
        signature = _from_base64(parts[2], "a signature of the note")
        if (parts[1], signature[:4]) != (name, number):
            continue
        if not check(public, signature[4:], message):
            raise NotVerified("the note's signature is wrong")
        signed = True
    if not signed:
        raise NotVerified("the note is not signed by this key")
    return text


def parse_checkpoint(text: str) -> tuple[str, int, bytes]:
    """Give origin, size and 32-byte root of a C2SP checkpoint's text. Raises NotVerified.

    Extension lines, which nobody audits, are refused: this log never writes any.
    """
    lines = text.split("\n")
    if lines[3:] != [""] or not _ORIGIN.fullmatch(lines[0]):
        raise NotVerified("the checkpoint is not well formed")
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]) or int(lines[1]) >= BEYOND_INTEGERS:
        raise NotVerified("the checkpoint's size is not a size")
    root = _from_base64(lines[2], "the checkpoint's root")
    if len(root) != _HASH:
        raise NotVerified("the checkpoint's root is not a hash")
    return lines[0], int(lines[1]), root


# The bundle


def _pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(made := dict(found)) != len(found):
        raise ValueError
    return made


def _integer(digits: str) -> int:
    if len(digits) > len(str(BEYOND_INTEGERS)) or abs(value := int(digits)) >= BEYOND_INTEGERS:
        raise ValueError
    return value


def _refused(_: str) -> NoReturn:
    raise ValueError


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_refused, parse_constant=_refused
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def strict_json(line: bytes, what: str) -> Any:
    """Read one JSON value without duplicate keys, fractions or integers beyond 2^53. Raises NotVerified."""
    try:
        return _DECODER.decode(line.decode())
    except (ValueError, RecursionError):
        raise NotVerified(f"{what} is not well formed") from None


def canonical(value: Any) -> bytes:
    """Spell in canonical JSON (RFC 8785) strings, integers and lists or maps of them with ASCII keys."""
    return _ENCODER.encode(value).encode()


@dataclass
class _Log:
    """What was read of the entries so far: the tree's right edge, the newest time, how much is vouched."""

    origin: bytes
    size: int = 0
    time: int = 0
    vouched: int = 0
    newest: bytes = b""
    edge: list[bytes] = field(default_factory=list)

    def take(self, line: bytes) -> None:
        """Add the next entry's line, or name what is wrong with it."""
        body = line[45:-1]
        found = ENTRY.fullmatch(body)
        if found is None:
            self.blame(line)
        _, _, disclosed, ids, origin, _, _, seq, _, time, _ = found.groups()
        leaf = sha256(b"\x00" + body).digest()
        time, size = int(time), self.size
        if (
            int(seq) != size
            or line[:45] != b2a_base64(leaf, newline=False) + b" "
            or line[-1] != _NEWLINE
            or origin != self.origin
            or not self.time <= time < BEYOND_INTEGERS
            or not ascending(ids)
            or not ascending(disclosed)
        ):
            self.blame(line)
        self.time, self.newest, self.size = time, leaf, size + 1
        while size & 1:
            leaf = sha256(b"\x01" + self.edge.pop() + leaf).digest()
            size >>= 1
        self.edge.append(leaf)

    def blame(self, line: bytes) -> NoReturn:
        """Say why this line cannot be the next entry."""
        at, body = self.size, line[45:-1]
        found = ENTRY.fullmatch(body)
        seq = int(found[8]) if found else at
        if not line.endswith(b"\n"):
            self.refuse(f"the line of entry {at} is cut off or too long")
        if (
            not found
            or not ascending(found[3])
            or not ascending(found[4])
            or int(found[10]) >= BEYOND_INTEGERS
        ):
            self.refuse(f"entry {at} is not a canonical entry")
        if line[:45] != b2a_base64(leaf_hash(body), newline=False) + b" ":
            self.refuse(f"entry {at} was changed: it does not match its leaf hash")
        if seq > at:
            self.refuse(f"entry {at} is missing: another stands in its place")
        if seq == at - 1 and leaf_hash(body) != self.newest and seq >= self.vouched:
            self.refuse(f"there are two different entries {seq}", seq)
        if seq < at:
            self.refuse(f"where entry {at} belongs, an earlier one stands")
        if found[5] != self.origin:
            self.refuse(f"entry {at} belongs to another log")
        self.refuse(f"entry {at} is older than the one before it")

    def refuse(self, message: str, first: int | None = None) -> NoReturn:
        """Raise NotVerified for one entry, the next one if none is named."""
        raise NotVerified(message, self.size if first is None else first, vouched=self.vouched)

    def meet(self, size: int, root: bytes, whose: str) -> None:
        """Compare with a checkpoint of the size that has just been reached."""
        if root_of(self.edge) != root:
            raise NotVerified(
                f"entries were rewritten: {whose} at {size} has another root; "
                f"the first bad entry is between {self.vouched} and {max(size - 1, 0)}",
                self.vouched, max(size - 1, 0), self.vouched,
            )  # fmt: skip
        self.vouched = size


def ascending(mapping: bytes) -> bool:
    """Tell whether the names of a matched group of `ENTRY` ascend, so that none is there twice."""
    names = _NAMES.findall(mapping)
    return len(names) <= 1 or all(one < two for one, two in pairwise(names))


@dataclass(frozen=True)
class Verdict:
    """A bundle that verified: its log, its size and root at the last checkpoint, and what that rests on."""

    origin: str
    key: str
    size: int
    root: bytes
    disclosures: int
    trust: str

    def sentence(self) -> str:
        """Say it for people; without a key or a held checkpoint, claim no more than is known."""
        what = f"{self.size} entries and {self.disclosures} disclosures of {self.origin}"
        if not self.trust:
            return f"self-consistent only: {what} agree; give --key or --since to know whose they are"
        return f"verified by {self.trust}: {what}"


def _header(line: bytes) -> tuple[str, str, list[str]]:
    if not line.endswith(b"\n"):
        raise NotVerified("the header is cut off or too long")
    header = strict_json(line, "the header")
    if not isinstance(header, dict) or set(header) != {"bundle", "checkpoints", "key", "origin"}:
        raise NotVerified("this is not a bundle")
    if not _is_canonical(header, line[:-1]):
        raise NotVerified("the header is not canonical")
    notes, key, origin = header["checkpoints"], header["key"], header["origin"]
    if header["bundle"] != 1 or not isinstance(key, str) or not isinstance(origin, str):
        raise NotVerified("this is not a bundle of version 1")
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise NotVerified("the header's checkpoints are not notes")
    if not _ORIGIN.fullmatch(origin) or not 0 < len(notes) <= MOST_CHECKPOINTS:
        raise NotVerified(f"the header names no log, or not 1 to {MOST_CHECKPOINTS} checkpoints")
    return origin, key, notes


def _checkpoint(note: str, key: str, origin: str, whose: str) -> tuple[int, bytes, str]:
    try:
        found, size, root = parse_checkpoint(open_note(note, key))
    except NotVerified as refusal:
        raise NotVerified(f"{whose}: {refusal}") from None
    if found != origin:
        raise NotVerified(f"{whose} is of another log")
    return size, root, whose


def _disclosures(lines: IO[bytes], again: IO[bytes], line: bytes, size: int) -> int:
    """Find each disclosure in its entry, walking the entries a second time instead of remembering them."""
    again.readline(LONGEST_LINE)
    at, count, digests = -1, 0, b""
    while line:
        count += 1
        what = f"disclosure {count}"
        if line[:2] != b"+[" or line[-1] != _NEWLINE:
            raise NotVerified(f"{what} is cut off, too long, or no disclosure")
        parts = strict_json(line[1:], what)
        if not isinstance(parts, list) or [type(part) for part in parts] != [int, str, str, str]:
            raise NotVerified(f"{what} is not well formed")
        seq, _, name, _ = parts
        if seq < max(at, 0) or seq >= size:
            raise NotVerified(f"{what} is out of order or of no entry")
        while at < seq:
            at, body = at + 1, again.readline(LONGEST_LINE)[45:-1]
            digests = found[3] if at == seq and (found := ENTRY.fullmatch(body)) else b""
        digest = sha256(b"[" + line[line.index(b",") + 1 : -1]).hexdigest()
        if not _is_canonical(parts, line[1:-1]) or f'"{name}":"{digest}"'.encode() not in digests:
            raise NotVerified(f"{what} does not match entry {at}", at)
        line = lines.readline(LONGEST_LINE)
    return count


def _is_canonical(value: Any, spelling: bytes) -> bool:
    try:
        return canonical(value) == spelling
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can escape and UTF-8 cannot say
        return False


def verify_bundle(path: Path, key: str = "", since: str = "") -> Verdict:
    """Verify the bundle in a file, in bounded memory. Raises NotVerified, and OSError if it cannot be read.

    `key` is a C2SP verifier key, `since` the text of a signed checkpoint held from before.
    """
    if not path.is_file():
        raise FileNotFoundError  # a pipe cannot be walked twice
    with path.open("rb") as lines, path.open("rb") as again:
        origin, own_key, notes = _header(lines.readline(LONGEST_LINE))
        if key and key != own_key:
            raise NotVerified("the bundle names another key than the one you gave")
        checkpoints = [_checkpoint(note, own_key, origin, "the checkpoint") for note in notes]
        if any(one[0] >= two[0] for one, two in pairwise(checkpoints)):
            raise NotVerified("the header's checkpoints do not ascend")
        if since:
            held = _checkpoint(since, own_key, origin, "the checkpoint you hold")
            if held[0] > checkpoints[-1][0]:
                raise NotVerified("the bundle is older than the checkpoint you hold", checkpoints[-1][0])
            checkpoints = sorted([held, *checkpoints], key=lambda one: one[0])
        log, line = _Log(origin.encode()), lines.readline(LONGEST_LINE)
        for size, root, whose in checkpoints:
            while log.size < size:
                if line[:2] in _AFTER_ENTRIES:
                    log.refuse(f"entries from {log.size} on are missing: {whose} covers {size}")
                log.take(line)
                line = lines.readline(LONGEST_LINE)
            log.meet(size, root, whose)
        if line[:2] not in _AFTER_ENTRIES:
            log.refuse(f"entries from {log.size} on are covered by no checkpoint")
        count = _disclosures(lines, again, line, log.size)
    trust = " and ".join(
        name for name, given in (("the key", key), ("the checkpoint you hold", since)) if given
    )
    return Verdict(origin, own_key, log.size, root_of(log.edge), count, trust)


def _read_note(path: Path) -> str:
    with path.open("rb") as file:
        note = file.read(LONGEST_NOTE + 1)
    try:
        return note.decode() or "\n"  # an empty file is a note that does not verify, not a check left out
    except UnicodeDecodeError:
        raise NotVerified("the checkpoint you hold is not UTF-8") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; the exit status is explained at the top of this file."""
    parser = argparse.ArgumentParser(prog="verify", description="Check a bundle of the ledger offline.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument(
        "--key", default="", metavar="VKEY", help="the log's public key, not taken from the bundle"
    )
    parser.add_argument("--since", type=Path, metavar="FILE", help="a checkpoint that you hold from before")
    given = parser.parse_args(arguments)
    try:
        since = _read_note(given.since) if given.since else ""
        sys.stdout.write(verify_bundle(given.bundle, given.key, since).sentence() + "\n")
    except NotVerified as refusal:
        sys.stderr.write(f"error: not verified: {refusal}\n")
        return 1
    except OSError:
        sys.stderr.write("error: the bundle or the checkpoint cannot be read\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
