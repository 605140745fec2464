"""What is masked in a program's output: every spelling, wherever the output is cut; and nothing else."""

import base64
import html
import json
import shlex
import textwrap
from functools import cache
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.masking import LONGEST, MASK, Mask, is_maskable
from tests.world import LOGIN

PASSWORDS = [
    LOGIN["password"].strip(),
    "p@ss/w0rd'\"é",
    "tr0ub4dor&3 <x>",
    "$(id)\\n%41",
    "ünïcödé-käy",
    "Zq7w",
    "k" * 64,
]
KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    + textwrap.fill(base64.b64encode(bytes(one * 7 % 251 for one in range(1400))).decode(), 70)
    + "\n-----END OPENSSH PRIVATE KEY-----\n"
)
TOKEN = base64.urlsafe_b64encode(bytes(one * 11 % 253 for one in range(180))).decode()


def spelt(secret: str) -> dict[str, str]:
    """A secret as programs write it, by what writes it so."""
    raw = secret.encode()
    plain, wide = base64.b64encode(raw).decode(), base64.b64encode(secret.encode("utf-16-le")).decode()
    return {
        "cat": secret,
        "env": f"PASSWORD={secret}\nHOME=/root",
        "set -x": f"+ mysql {shlex.quote('-p' + secret)} shop",
        "printf %q": "".join(
            one if one.isalnum() or one in "@%+=:,./-_" or ord(one) > 127 else f"\\{one}" for one in secret
        ),
        "json": json.dumps({"password": secret}),
        "json of PHP": json.dumps(secret).replace("/", "\\/"),
        "json with letters": json.dumps(secret, ensure_ascii=False),
        "repr": repr(secret),
        "html": f"<p>{html.escape(secret)}</p>",
        "html by number": html.escape(secret).replace("&#x27;", "&#39;"),
        "url": f"postgresql://shop:{quote(secret, safe='')}@localhost/shop",
        "url in small letters": quote(secret, safe="").lower()
        if secret.islower()
        else quote(secret, safe=""),
        "form": f"password={quote_plus(secret)}&user=shop",
        "percent": "".join(f"%{byte:02x}" for byte in raw),
        "bytes": "".join(f"\\x{byte:02x}" for byte in raw),
        "xxd -p": raw.hex(),
        "hexdump": raw.hex(" "),
        "hexdump -v in capitals": raw.hex(":").upper(),
        "xxd": " ".join(raw.hex()[at : at + 4] for at in range(0, len(raw.hex()), 4)),
        "base64": plain,
        "base64 -w 12": textwrap.fill(plain, 12),
        "base64 in yaml": textwrap.indent(textwrap.fill(plain, 16), "      "),
        "Basic": f"Authorization: Basic {base64.b64encode(b'shop:' + raw).decode()}",
        "Basic of another name": f"Authorization: Basic {base64.b64encode(b'deploy:' + raw + b'!').decode()}",
        "base64url": base64.urlsafe_b64encode(b"ab" + raw).decode(),
        "PowerShell": wide,
        "utf-16": secret.encode("utf-16-le").hex(),
    }


@cache
def mask_of(*secrets: str) -> Mask:
    return Mask(one.encode() for one in secrets)


def masked(secrets: list[str], text: bytes, cut: int) -> bytes:
    mask = mask_of(*secrets).again()
    shown = b"".join(mask.feed(text[at : at + cut]) for at in range(0, len(text), cut))
    return shown + mask.close()


def longest_common(one: bytes, other: bytes) -> int:
    """The length of the longest run of bytes that is in both."""
    best = 0
    for at in range(len(one)):
        while at + best < len(one) and one[at : at + best + 1] in other:
            best += 1
    return best


@pytest.mark.attack("DP01")
@pytest.mark.parametrize("cut", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("secret", PASSWORDS)
def test_a_password_is_masked_in_every_spelling_however_the_output_is_cut(secret: str, cut: int) -> None:
    for writer, text in spelt(secret).items():
        shown = masked([secret], f"before {text} after\n".encode(), cut)
        if MASK not in shown:
            # the base64 of four letters within other text shares most of its characters with that
            assert len(secret.encode()) < 6, f"{writer}: {shown!r}"
            continue
        raw = text.encode()
        assert secret.encode() not in shown, writer
        assert longest_common(shown.replace(MASK, b""), raw) < max(12, len(raw) - len(secret)), (
            f"{writer}: {shown!r}"
        )
        assert shown.startswith(b"before ")
        assert shown.endswith(b" after\n")


@pytest.mark.attack("DP01")
@pytest.mark.parametrize("cut", [1, 11, 64, 100_000])
@pytest.mark.parametrize("secret", [KEY, TOKEN], ids=["key", "token"])
def test_of_a_long_secret_no_part_is_seen_in_any_spelling(secret: str, cut: int) -> None:
    raw = secret.encode()
    plain = base64.b64encode(raw).decode()
    texts = {
        "cat": secret,
        "in yaml": textwrap.indent(secret, "    "),
        "a line alone": secret.strip().splitlines()[len(secret.splitlines()) // 2],
        "json": json.dumps({"key": secret}),
        "base64": plain,
        "base64 in lines": base64.encodebytes(raw).decode(),
        "base64 of something around it": base64.b64encode(b"{" + raw + b"}").decode(),
        "hex": raw.hex(),
        "hex in lines": textwrap.fill(raw.hex(), 60),
        "hexdump": textwrap.fill(raw.hex(" "), 47),
        "from somewhere on": secret[len(secret) // 3 :],
        "url": quote(secret, safe=""),
    }
    for writer, text in texts.items():
        shown = masked([secret], f"before\n{text}\nafter\n".encode(), cut)
        assert MASK in shown, writer
        rest = shown.replace(b"-----BEGIN OPENSSH PRIVATE KEY-----", b"").replace(
            b"-----END OPENSSH PRIVATE KEY-----", b""
        )
        body = text.replace("-----BEGIN OPENSSH PRIVATE KEY-----", "").replace(
            "-----END OPENSSH PRIVATE KEY-----", ""
        )
        assert (
            longest_common(rest.removeprefix(b"before\n").removesuffix(b"\nafter\n"), body.encode()) < 23
        ), f"{writer}: {shown[:400]!r}"
        assert shown.startswith(b"before")


@pytest.mark.attack("DP01")
@pytest.mark.parametrize("secret", PASSWORDS)
def test_what_pauses_as_somebody_who_types_shows_no_more_than_the_first_three_bytes(secret: str) -> None:
    """The beginning of a secret is what people type, too, and they wait to see it."""
    raw = secret.encode()
    mask, shown = mask_of(secret).again(), b""
    for byte in b"> " + raw:
        shown += mask.feed(bytes([byte])) + mask.paused() + mask.paused()
    assert shown + mask.close() == b"> " + raw[:3] + MASK
    mask, seen = mask_of(secret).again(), b""
    for at in range(1, len(raw) + 3):
        seen += mask.feed((raw[:3] + raw)[at - 1 : at]) + mask.paused()
    assert raw not in seen + mask.close()
    mask, harmless = mask_of(secret).again(), raw[:3] + b"\x03\n"
    assert mask.feed(harmless[:3]) + mask.paused() == harmless[:3], "seen as it is typed"
    assert mask.feed(harmless[3:]) + mask.close() == harmless[3:], "and not again"


@settings(deadline=None, max_examples=150)
@given(
    text=st.lists(
        st.sampled_from([*PASSWORDS[:5], "é", "x", " ", "\n", "canary", "Zq7", "🗝", "p@ss"]), max_size=30
    ),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=40),
)
def test_where_the_output_is_cut_changes_nothing(text: list[str], cuts: list[int]) -> None:
    raw = "".join(text).encode()
    expected = masked(PASSWORDS[:5], raw, 10_000)
    mask, shown, at, turn = mask_of(*PASSWORDS[:5]).again(), b"", 0, 0
    while at < len(raw):
        size = cuts[turn % len(cuts)]
        shown += mask.feed(raw[at : at + size])
        at, turn = at + size, turn + 1
    shown += mask.close()
    assert shown == expected
    shown.decode()  # no character is cut in two
    assert not any(secret.encode() in shown for secret in PASSWORDS[:5])


@settings(deadline=None, max_examples=100)
@given(data=st.binary(max_size=2000), cut=st.integers(1, 100))
def test_other_output_passes_byte_for_byte(data: bytes, cut: int) -> None:
    secrets = [*PASSWORDS[:5], KEY]
    if not any(one[:3].encode() in data for one in PASSWORDS):
        assert masked(secrets, data, cut) == data


def test_a_prompt_is_seen_before_its_line_ends() -> None:
    mask = Mask([PASSWORDS[0].encode(), KEY.encode()])
    assert mask.feed(b"continue? [y/N]: ") == b"continue? [y/N]: "
    assert mask.feed(b"login: ") == b"login: "
    assert mask.feed(b"wait ") == b"wait "


def test_what_only_begins_like_a_secret_is_shown_as_soon_as_that_is_certain() -> None:
    mask = Mask([b"canary-Zq7w"])
    assert mask.feed(b"a can") == b"a "
    assert mask.feed(b"dle\n") == b"candle\n"
    assert mask.feed(b"can") == b""
    assert mask.close() == b"can"


def test_most_of_a_secret_at_the_very_end_is_masked_too() -> None:
    mask = Mask([b"canary-Zq7w"])
    assert mask.feed(b"it is canary-Zq7") + mask.close() == b"it is " + MASK


def test_no_more_is_held_back_than_a_secret_is_long() -> None:
    mask = Mask([b"canary-Zq7w", KEY.encode()])
    shown = sum(len(mask.feed(b"c" * 10_000)) for _ in range(20))
    assert shown > 199_000


def test_what_is_too_short_or_a_file_is_not_masked() -> None:
    assert [
        is_maskable(one) for one in (b"", b"abc", b" ab ", b"abcd", b"x" * LONGEST, b"x" * (LONGEST + 1))
    ] == [
        False,
        False,
        False,
        True,
        True,
        False,
    ]
    assert masked(["abc"], b"abcdef", 2) == b"abcdef"


def test_a_mask_of_nothing_changes_nothing() -> None:
    assert masked([], b"anything", 3) == b"anything"
