"""The browser's readers say what the core's say, word for word, of whatever is pasted."""

import base64
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.keys import PASSPHRASE, made_by_ssh_keygen, putty_key
from tests.logins import ALSO_GOOD, GOOD, WRONG
from tests.pasted import BAD_KEYS, LINES, SEEDS
from vault.errors import Invalid
from vault.model.files import LARGEST, LONGEST_TEXT, MARK, file_value, read_file
from vault.model.kinds import KINDS
from vault.model.logins import Login, read_login
from vault.model.otpauth import read_otpauth
from vault.model.sshkeys import read_key

pytestmark = [pytest.mark.browser]

ASK = """async ([module, reader, samples]) => {
  const read = (await import(`/static/${module}`))[reader];
  return Promise.all(samples.map(read));
}"""


def asked(page: Page, module: str, reader: str, samples: Sequence[str]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = page.evaluate(ASK, [module, reader, list(samples)])
    return answers


def mangled(text: str, how_many: int) -> list[str]:
    """Cut, doubled and changed at places of chance: what really happens to keys on their way."""
    found = []
    for _ in range(how_many):
        at = secrets.randbelow(len(text))
        sign = secrets.choice("AZaz09+/=-: \n\t\r\x00—é\ufeff")
        found += [
            text[:at],
            text[at:],
            text[:at] + text[at + 1 :],
            text[:at] + sign + text[at + 1 :],
            text[:at] + sign + text[at:],
        ]
    return found


def test_keys(bench: Page, tmp_path: Path) -> None:
    real = [path.read_text() for path in made_by_ssh_keygen(tmp_path).values()]
    real += [putty_key(version, locked) for version in (2, 3) for locked in ("", PASSPHRASE)]
    samples = real + [text for text, _ in BAD_KEYS.values()] + ["", "😀" * 32_768, "😀" * 65_536]
    samples += [f"\ufeff {one}\r\n" for one in real] + [one.replace("\n", "\r\n") for one in real]
    for one in real:
        samples += mangled(one, 12)
    known = asked(bench, "sshkey.js", "readKey", samples)
    for sample, verdict in zip(samples, known, strict=True):
        assert verdict == vars(read_key(sample)), repr(sample)
    assert {one["kind"] for one in known} == {"good", "question", "wrong"}
    assert sum(bool(one["fingerprint"]) for one in known) > 50


def test_logins(bench: Page) -> None:
    samples = [*LINES, *(HOST_LIKE + mangled("ssh -p 2222 root@shop.example.com", 60))]
    samples += mangled("sftp://web1:x@[2001:db8::1]:22/var", 60) + mangled(
        "root@shop.example.com:22 -o User=x", 60
    )
    known = asked(bench, "logins.js", "readLogin", samples)
    expected = [read_login(sample) for sample in samples]
    assert known == [found and vars(found) for found in expected]
    assert sum(isinstance(found, Login) for found in expected) > 50


HOST_LIKE = ["ssh " + one for one in (*WRONG["host"], *ALSO_GOOD["host"])] + [
    f"{one}@shop" for one in WRONG["username"]
]


def test_seeds(bench: Page) -> None:
    samples = [*SEEDS, *ALSO_GOOD["otpauth"], *WRONG["otpauth"]]
    for one in SEEDS:
        if one and len(one) < 200:
            samples += mangled(one, 6)
    known = asked(bench, "otpauth.js", "readOtpauth", samples)
    expected = [vars(read_otpauth(sample)) for sample in samples]
    assert known == [{name: one[name] for name in ("kind", "sentence", "type")} for one in expected]
    assert {one["kind"] for one in known} == {"good", "question", "wrong"}


@pytest.mark.attack("IN16")
def test_files(bench: Page) -> None:
    """Bytes are spelt alike, are given back alike, and what is too large is refused alike."""
    contents = [
        b"a",
        b"\xef\xbb\xbfa\r\n",
        b"a\0",
        b"\xff\xfe",
        MARK.encode(),
        "ß".encode() * (LONGEST_TEXT // 2),
    ]
    contents += [b"x" * (LONGEST_TEXT + 1), secrets.token_bytes(1000), bytes(LARGEST), "😀".encode()[:3]]
    for data in contents:
        spelt, back = bench.evaluate(
            """async (numbers) => { const {fileValue, fileBytes} = await import("/static/files.js");
                 const value = fileValue(Uint8Array.from(atob(numbers), (one) => one.charCodeAt(0)));
                 const {toBase64} = await import("/static/bytes.js");
                 return [value, toBase64(fileBytes(value))]; }""",
            _base64(data),
        )
        assert spelt == file_value(data)
        assert back == _base64(data).rstrip("=").replace("+", "-").replace("/", "_")
    samples = [
        *WRONG["contents"],
        *ALSO_GOOD["contents"],
        GOOD["file"]["contents"],
        MARK + "AAA==",
        MARK + "A===",
        "a\0",
    ]
    known = asked(bench, "files.js", "readFile", samples)
    expected = [read_file(sample) for sample in samples]
    assert [(one["kind"], one["sentence"]) for one in known] == [(one.kind, one.sentence) for one in expected]
    for wrong, sentence in (
        (b"", "This file is empty"),
        (bytes(LARGEST + 1), "A file can have at most 1 MiB"),
    ):
        said = bench.evaluate(
            """async (size) => { const {fileValue, Refused} = await import("/static/files.js");
                 try { fileValue(new Uint8Array(size)); }
                 catch (error) { return error instanceof Refused && error.message; } }""",
            len(wrong),
        )
        assert said.startswith(sentence)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_every_pattern_of_every_kind_reads_alike_on_both_sides(bench: Page) -> None:
    """Good and wrong values of all fields, against all patterns, as a browser reads them for `pattern`."""
    samples = sorted(
        {value for one in GOOD.values() for value in one.values()}
        | {value for name in WRONG for value in WRONG[name] if len(value) < 3000 and value.isprintable()}
        | {value for name in ALSO_GOOD for value in ALSO_GOOD[name] if len(value) < 3000}
        | {f"a{chr(point)}b" for point in (*range(33, 160), 0x2028, 0x3000, 0xFEFF, 0x180E, 0x200B, 0x1F511)}
        | {field.example for kind in KINDS.values() for field in kind.fields}
    )
    fields = {
        (field.pattern, field.name): field
        for kind in KINDS.values()
        for field in kind.fields
        if field.pattern
    }
    assert len(fields) > 8
    for field in fields.values():
        matched = bench.evaluate(
            "([pattern, samples]) => samples.map((one) => new RegExp(`^(?:${pattern})$`, 'v').test(one))",
            [field.pattern, samples],
        )
        assert matched == [bool(field._matches.fullmatch(sample)) for sample in samples], field.name
        assert any(matched)
        assert not all(matched)


def test_what_a_field_refuses_by_its_reader_both_sides_refuse(bench: Page) -> None:
    """The sweep over KINDS: wherever a reader's verdict counts, its browser half is asked about the field's samples."""
    readers = {
        "ssh-key": ("sshkey.js", "readKey"),
        "otpauth": ("otpauth.js", "readOtpauth"),
        "file": ("files.js", "readFile"),
    }
    seen = set()
    for kind in KINDS.values():
        for field in kind.fields:
            if field.reads not in readers:
                continue
            seen.add(field.reads)
            samples = [
                value
                for value in (*WRONG[field.name], *ALSO_GOOD[field.name], GOOD[kind.name][field.name])
                if value
            ]
            for sample, verdict in zip(samples, asked(bench, *readers[field.reads], samples), strict=True):
                refused = ""
                try:
                    field.check(sample)
                except Invalid as fault:
                    refused = str(fault)
                if verdict["kind"] == "wrong":
                    assert refused
                elif refused:
                    assert len(sample) > field.longest or "\n" in sample or "\0" in sample
    assert seen == set(readers)
