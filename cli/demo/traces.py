"""Looking for something in every byte of every file, also where no database would show it any more."""

import base64
import html
import json
import quopri
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, quote_plus

Needles = Mapping[str, Sequence[bytes]]
"""What is looked for: for each name of a form, the byte strings of which any one is a find."""

PIECE = 32
"""Bytes. A pile of bytes is looked for in pieces, for a database cuts a long one over several pages."""


def encodings_of(text: str) -> Needles:
    """Every common way to write this text down, by the way's name. Each finds it inside of something larger too."""
    ways: dict[str, Sequence[bytes]] = {}
    for name in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le"):
        raw = text.encode(name)
        ways[name] = (raw,)
        ways[f"hex of {name}"] = (raw.hex().encode(), raw.hex().upper().encode())
        ways[f"base64 of {name}"] = [*_aligned(raw, 6, base64.b64encode)]
        ways[f"base64url of {name}"] = [*_aligned(raw, 6, base64.urlsafe_b64encode)]
        base32 = _aligned(raw, 5, base64.b32encode)
        ways[f"base32 of {name}"] = [*base32, *(piece.lower() for piece in base32)]
    if text.isascii() or _fits(text, "latin-1"):
        ways["latin-1"] = (text.encode("latin-1"),)
    escaped = json.dumps(text)[1:-1]
    ways["JSON"] = (escaped.encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode())
    ways["JSON in JSON"] = (json.dumps(escaped)[1:-1].encode(),)
    ways["URL"] = _both_cases(quote(text, safe=""), quote(text), quote_plus(text))
    ways["URL, every byte"] = _both_cases("".join(f"%{byte:02x}" for byte in text.encode()))
    ways["HTML"] = (html.escape(text).encode(), html.escape(text, quote=False).encode())
    ways["HTML by numbers"] = ("".join(f"&#{ord(one)};" for one in text).encode(),)
    ways["Python escapes"] = _both_cases("".join(f"\\x{byte:02x}" for byte in text.encode()))
    ways["quoted-printable"] = (quopri.encodestring(text.encode(), quotetabs=True).strip(b"\n"),)
    return ways


def _aligned(raw: bytes, bits: int, encode: Callable[[bytes], bytes]) -> list[bytes]:
    """What stays the same of its encoding at each place that it can have among other bytes."""
    found = []
    for before in range(5 if bits == 5 else 3):  # noqa: PLR2004 (base32 has five places, base64 three)
        encoded = encode(bytes(before) + raw)
        first = -(-before * 8 // bits)
        found.append(encoded[first : (before + len(raw)) * 8 // bits])
    return found


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _both_cases(*spelt: str) -> list[bytes]:
    """Percent and backslash escapes in lower and in upper hexadecimal."""
    found = [one.encode() for one in spelt]
    for one in spelt:
        for mark in ("%", "\\x"):
            first, *rest = one.split(mark)
            for change in (str.lower, str.upper):
                found.append(mark.join([first, *(change(part[:2]) + part[2:] for part in rest)]).encode())  # noqa: PERF401
    return list(dict.fromkeys(found))


def pieces_of(raw: bytes) -> Sequence[bytes]:
    """A pile of bytes, cut so that any part of it of twice a piece's length is found."""
    return [raw[at : at + PIECE] for at in range(0, len(raw) - PIECE + 1, PIECE)]


def files_in(*places: Path) -> list[Path]:
    """Every plain file in these folders, and these files themselves, however hidden."""
    found = [
        path for place in places for path in ([place] if not place.is_dir() else sorted(place.rglob("*")))
    ]
    return [path for path in found if stat.S_ISREG(path.lstat().st_mode)]


def search(files: Iterable[Path], needles: Needles) -> dict[str, set[str]]:
    """Every byte of these files: for each name that was found, in which files. What is not found is not in it."""
    found: dict[str, set[str]] = {}
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # a journal that was gone between listing and reading
        for name in seen(content, needles):
            found.setdefault(name, set()).add(path.name)
    return found


def seen(content: bytes, needles: Needles) -> set[str]:
    """Which of them are in these bytes."""
    return {name for name, pieces in needles.items() if any(piece in content for piece in pieces)}
