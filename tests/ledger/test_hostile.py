"""AU11: bundles that were made to hurt whoever checks them, and the verifier as a lone file."""

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault.ledger import verify
from vault.ledger.verify import LONGEST_LINE, NotVerified, canonical, main, strict_json, verify_bundle

pytestmark = [pytest.mark.promise("P6"), pytest.mark.attack("AU11")]

DEEP = 200_000


def header(ledger, text: str) -> bytes:
    return text.replace("KEY", ledger.signer.vkey).encode() + b"\n"


HEADERS = {
    "nothing": b"",
    "an empty line": b"\n",
    "no newline": b"{}",
    "zeros": bytes(5_000),
    "not UTF-8": b'{"bundle":1,"checkpoints":["\xff\xfe"],"key":"k","origin":"o"}\n',
    "deep lists": b"[" * DEEP + b"\n",
    "deep maps": b'{"a":' * DEEP + b"\n",
    "deep inside": b'{"bundle":1,"checkpoints":' + b"[" * DEEP + b"]" * DEEP + b',"key":"k","origin":"o"}\n',
    "a huge number": b'{"bundle":' + b"9" * 900_000 + b',"checkpoints":["x"],"key":"k","origin":"o"}\n',
    "a fraction": b'{"bundle":1.0,"checkpoints":["x"],"key":"k","origin":"o"}\n',
    "an exponent": b'{"bundle":1e999999999,"checkpoints":["x"],"key":"k","origin":"o"}\n',
    "not a number": b'{"bundle":NaN,"checkpoints":["x"],"key":"k","origin":"o"}\n',
    "a duplicate key": b'{"bundle":1,"bundle":1,"checkpoints":["x"],"key":"k","origin":"o"}\n',
    "half a surrogate": b'{"bundle":1,"checkpoints":["\\ud800"],"key":"k","origin":"o"}\n',
    "a list": b"[]\n",
    "a true version": b'{"bundle":true,"checkpoints":["x"],"key":"k","origin":"o"}\n',
    "other types": b'{"bundle":1,"checkpoints":[{}],"key":"k","origin":"o"}\n',
    "no list": b'{"bundle":1,"checkpoints":{},"key":"k","origin":"o"}\n',
    "an odd origin": b'{"bundle":1,"checkpoints":["x"],"key":"k","origin":"\x1b[2J"}\n',
    "escapes in the origin": b'{"bundle":1,"checkpoints":["x"],"key":"k","origin":"\\u001b[2J"}\n',
    "one more key": b'{"bundle":1,"checkpoints":["x"],"key":"k","more":1,"origin":"o"}\n',
    "too many checkpoints": canonical({"bundle": 1, "checkpoints": ["x"] * 300, "key": "k", "origin": "o"})
    + b"\n",
    "a giant line": b"x" * (3 * LONGEST_LINE),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_hostile_header_is_refused_in_one_sentence(name, tmp_path, capsys):
    path = tmp_path / "bundle"
    path.write_bytes(HEADERS[name])
    assert main([str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: not verified: ")
    assert err.count("\n") == 1
    assert len(err) < 200
    assert err.isascii()
    assert "\x1b" not in err


LINES = {
    "an empty line": b"\n",
    "not UTF-8": b"A" * 43 + b'= {"actor":"\xff"}\n',
    "deep JSON": b"A" * 43 + b"= " + b"[" * DEEP + b"\n",
    "deep in a field": b"A" * 43 + b'= {"actor":' + b'{"a":' * DEEP + b"\n",
    "a giant line": b"A" * (3 * LONGEST_LINE) + b"\n",
    "endless quotes": b"A" * 43 + b"= " + b'"' * 1_000_000 + b"\n",
    "endless ids": b"A" * 43
    + b'= {"actor":"","channel":"","disclosed":{},"ids":{'
    + b'"a":"",' * 140_000
    + b"\n",
    "endless rows": b"A" * 43
    + b'= {"actor":"","channel":"","disclosed":{},"ids":{},"origin":"","outcome":"","rows":['
    + b'["",""],' * 120_000
    + b"\n",
    "zeros": bytes(100_000) + b"\n",
    "a disclosure too early": b'+[0,"","",""]\n',
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("at", [1, 8, 21, 30, 41])
def test_a_hostile_line_anywhere_is_refused_in_one_sentence(name, at, ledger):
    lines = ledger.lines()
    lines.insert(at, LINES[name])
    with pytest.raises(NotVerified) as caught:
        ledger.verify(lines)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isascii()


DISCLOSURES = {
    "deep": b"+[" + b"[" * DEEP + b"\n",
    "huge": b"+[" + b"9" * 900_000 + b',"","",""]\n',
    "long": b'+[0,"' + b"x" * (2 * LONGEST_LINE) + b'","",""]\n',
    "not UTF-8": b'+[0,"\xff","",""]\n',
    "surrogate": b'+[0,"\\ud800","",""]\n',
    "other": b"+[]\n",
    "map": b"+[{}]\n",
    "none": b"+[\n",
}


@pytest.mark.parametrize("name", DISCLOSURES)
def test_a_hostile_disclosure_is_refused_in_one_sentence(name, ledger):
    with pytest.raises(NotVerified) as caught:
        ledger.verify([*ledger.lines(), DISCLOSURES[name]])
    assert len(str(caught.value)) < 200


def test_a_million_lines_are_stopped_at_the_first_bad_one_and_in_bounded_memory(ledger):
    lines = ledger.lines()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = ledger.save(lines[:21])
    with path.open("ab") as file:
        for _ in range(100):
            file.write(lines[1] * 10_000)
    with pytest.raises(NotVerified) as caught:
        verify_bundle(path, ledger.signer.vkey)
    path.unlink()
    assert caught.value.first == 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # KiB


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_verify_or_are_refused(tmp_path, data):
    path = tmp_path / "bundle"
    path.write_bytes(data)
    with pytest.raises(NotVerified):
        verify_bundle(path)


@pytest.mark.parametrize(
    "text", [b"9007199254740992", b"-9007199254740992", b"1" * 10_000, b"1.5", b"-0.0", b"Infinity"]
)
def test_a_number_that_canonical_json_has_not_is_refused(text):
    with pytest.raises(NotVerified):
        strict_json(text, "a number")
    assert strict_json(b"9007199254740991", "a number") == verify.BEYOND_INTEGERS - 1


def run_alone(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a copy of the one file with neither our packages nor anyone's within reach."""
    copy = folder / "lone" / "verify.py"
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(verify.__file__, copy)
    command = [sys.executable, "-I", "-S", str(copy), *map(str, arguments)]
    return subprocess.run(command, cwd=copy.parent, capture_output=True, text=True, check=False, timeout=60)


def test_the_verifier_works_as_a_lone_copied_file(ledger, tmp_path):
    path, held, key = ledger.save(ledger.lines()), tmp_path / "held", ledger.signer.vkey
    held.write_text(ledger.checkpoints[10])
    good = run_alone(tmp_path, path, "--key", key, "--since", held)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith(
        "verified by the key and the checkpoint you hold: 20 entries and 20 disclosures"
    )
    assert run_alone(tmp_path, path).stdout.startswith("self-consistent only")
    lines = ledger.lines()
    del lines[8]
    bad = run_alone(tmp_path, ledger.save(lines), "--key", key)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr == "error: not verified: entry 7 is missing: another stands in its place\n"


@pytest.mark.parametrize("name", ["deep lists", "deep maps", "deep inside", "a huge number"])
def test_alone_it_does_not_crash_on_what_is_deep_or_huge(name, tmp_path):
    path = tmp_path / "bundle"
    path.write_bytes(HEADERS[name])
    done = run_alone(tmp_path, path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: not verified: ")


def test_wrong_usage_and_unreadable_files_have_their_own_exit_status(ledger, tmp_path, capsys):
    path = ledger.save(ledger.lines())
    assert main([str(tmp_path / "missing")]) == 2
    assert main([str(tmp_path)]) == 2
    assert main([str(path), "--since", str(tmp_path / "missing")]) == 2
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    capsys.readouterr()


@pytest.mark.parametrize("held", [b"", b"\xff", b"\n", b"x" * (1 << 20)])
def test_a_held_checkpoint_that_is_none_is_refused_and_never_passed_over(held, ledger, tmp_path, capsys):
    path, since = ledger.save(ledger.lines()), tmp_path / "held"
    since.write_bytes(held)
    assert main([str(path), "--since", str(since)]) == 1
    assert "the checkpoint you hold" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["x", "+", "a+b+c", "a+00000000+AQ==", "\ud800", "x" * (1 << 20)])
def test_a_key_that_is_none_is_refused(key, ledger, capsys):
    assert main([str(ledger.save(ledger.lines())), "--key", key]) == 1
    assert "another key" in capsys.readouterr().err


def test_only_the_standard_library_is_imported():
    code = Path(verify.__file__).read_text()
    imports = {
        line.split()[1].split(".")[0] for line in code.splitlines() if line.startswith(("import ", "from "))
    }
    assert "hashlib" in imports
    assert imports <= set(sys.stdlib_module_names)
