"""What is delivered: no trace of where it was made, every dependency by hash, the same wheel twice."""

import importlib
import re
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.source_tree import ROOT, module_of, sources

LOCK = ROOT / "requirements.lock"
SECONDS = 0.1
"""What any pattern may take for 50,000 hostile characters, in CPU time."""


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this tree is no git checkout, so nothing says what is tracked")
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


REGISTRY = r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|deb[.]debian[.]org|proxy[.]golang"
MACHINE = r"/wor[k]/[a-z.]|/far[m]/|/roo[t]/[.]|/hom[e]/[a-z]+/|/tm[p]/(venv|bash_jobs)"
FOREIGN = {"a registry's address": REGISTRY, "a path of the machine it was made on": MACHINE}


@pytest.mark.parametrize(("what", "pattern"), FOREIGN.items(), ids=["registries", "machine"])
def test_no_file_tells_where_it_was_made(what: str, pattern: str) -> None:
    files = tracked()
    assert "Makefile" in files
    told = [name for name in files if re.search(pattern.encode(), (ROOT / name).read_bytes())]
    assert not told, f"{what} stands in {told}"


def test_a_foreign_path_would_be_seen() -> None:
    assert re.search(REGISTRY, "https://files." + "pythonhosted" + ".org/x")
    assert re.search(MACHINE, "/" + "work" + "/main")


def test_no_lock_with_addresses_and_no_bought_in_script_is_tracked() -> None:
    foreign = re.compile(
        r"(^|/)(uv\.lock|pylock\.toml|package-lock\.json|node_modules/.*|.*\.min\.(js|css))$"
    )
    assert not [name for name in tracked() if foreign.search(name)]


UNFINISHED = (
    r"NotImplemented[E]rror|# *(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b|mark[.](ski[p]|xfai[l])\b|type: ignore *$"
)


def test_nothing_is_unfinished_or_switched_off() -> None:
    found = [
        f"{name}:{number}"
        for name in tracked()
        if name.endswith((".py", ".js", ".html", ".css"))
        for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1)
        if re.search(UNFINISHED, line)
    ]
    assert not found


def locked() -> dict[str, int]:
    """From each locked requirement to how many hashes it has."""
    found: dict[str, int] = {}
    for block in re.split(r"\n(?=[a-zA-Z0-9])", LOCK.read_text("utf-8")):
        if match := re.match(r"([a-zA-Z0-9._-]+)==", block):
            found[normal(match[1])] = found.get(normal(match[1]), 0) + block.count("--hash=sha256:")
    return found


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.attack("DP12")
def test_every_dependency_is_pinned_by_hash() -> None:
    pins = locked()
    assert pins["cryptography"] > 1
    assert not [name for name, hashes in pins.items() if not hashes]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["demo"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    names = {normal(re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0]) for line in wanted}
    assert names <= set(pins), "pyproject.toml and requirements.lock are not of one time: make lock"


@pytest.mark.attack("DP12")
def test_the_lock_names_no_address_and_installing_checks_every_hash() -> None:
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links", LOCK.read_text("utf-8"))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "--require-hashes" in makefile
    assert "--only-binary :all:" in makefile


def build(into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = into.glob("*.whl")
    return wheel


@pytest.mark.attack("DP12")
def test_the_wheel_is_the_same_twice_and_holds_only_the_program(tmp_path: Path) -> None:
    first, second = build(tmp_path / "first"), build(tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert "vault/ledger/verify.py" in names
    foreign = [name for name in names if not re.match(r"(vault|api|cli|valetkey-[^/]+\.dist-info)/", name)]
    assert not foreign
    endings = {Path(name).suffix for name in names if ".dist-info/" not in name}
    assert endings <= {".py", ".js", ".css", ".html", ".txt", ".mako", ".toml", ".svg", ".po"}, endings


def patterns() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """Every compiled pattern that a module of ours holds."""
    for path in (path for path in sources() if "migrations" not in path.parts):
        for name, value in vars(importlib.import_module(module_of(path))).items():
            if isinstance(value, re.Pattern):
                yield f"{module_of(path)}.{name}", value


HOSTILE = (
    "a",
    "0",
    " ",
    "-",
    ".",
    "4 ",
    "a.",
    "0-",
    "A-",
    "a@",
    '{"a":',
    '"a":"',
    "vk_",
    "\\",
    "=",
    "é",
    "٤",
)


@pytest.mark.attack("DO04")
def test_every_pattern_answers_hostile_text_in_time() -> None:
    known = dict(patterns())
    assert "vault.values._MAIL" in known
    for name, pattern in known.items():
        for piece in HOSTILE:
            text = piece * (50_000 // len(piece)) + "!"
            raw = text.encode() if isinstance(pattern.pattern, bytes) else text
            for way in (pattern.fullmatch, pattern.match, pattern.search):
                began = time.process_time()
                way(raw)  # type: ignore[operator]
                took = time.process_time() - began
                assert took < SECONDS, f"{name}.{way.__name__} took {took:.2f} s for {piece!r} repeated"
