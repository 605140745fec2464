"""The architecture is a test: who may import whom, who commits, who opens, who exposes."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.source_tree import (
    ROOT,
    calls,
    imports,
    is_in,
    module_of,
    named,
    reached_from,
    sources,
    tree_of,
)

FLOORS = {
    "vault.errors": 0,
    "vault.languages": 0,
    "vault.sentences": 0,
    "vault.strict_json": 0,
    "vault.values": 0,
    "vault.settings": 0,
    "vault.crypto": 1,
    "vault.ledger": 2,
    "vault.model": 3,
    "vault.helpdesk": 3,
    "vault.storage": 4,
    "vault.policy": 4,
    "vault.outbox": 4,
    "vault.operations": 5,
    "api": 6,
    "cli": 7,
}
LONGEST = 400
LONGEST_TEST = 500
LONGER = {"vault/ledger/verify.py": 600, "vault/storage/migrations/versions/0001_first.py": 700}
"""The verifier is one file so that it works when it is copied alone; a migration is one step, however many tables."""

WEB = ("fastapi", "starlette", "uvicorn", "typer", "click", "httptools", "multipart")
TABLES = ("vault.model.rows", "vault.model.people", "vault.model.tables")
DATABASE = ("sqlalchemy", "sqlmodel", "alembic", "sqlite3", "psycopg", "vault.storage", *TABLES)
OPENS = (
    "vault.crypto.opening",
    "vault.crypto.rootkey",
    "vault.crypto.protectors",
    "vault.crypto.passwords",
    "vault.crypto.factors",
    "vault.ledger",
    "vault.storage",
    "vault.policy",
    "vault.outbox",
    "vault.operations",
    *TABLES,
)

COMMITS = {"vault/storage/writer.py"}
TRANSACTIONS = {
    ("vault/storage/writer.py", "_record"),
    # the keyring is a database of its own, whose order against the vault's is the safety
    ("vault/storage/keyring.py", "create"),
    ("vault/storage/keyring.py", "_change"),
    ("vault/storage/keyring.py", "mirror"),
    # at unseal, before the writer has keys: it vouches for what was changed without them
    ("vault/storage/signer.py", "_vouch"),
    # before there is a ledger to record in
    ("vault/storage/database.py", "create_schema"),
    ("vault/operations/house/operator.py", "initialise"),
}
EXPOSES = {
    "vault/crypto/passwords.py": "hashes what was typed",
    "vault/crypto/protectors.py": "stretches the passphrase",
    "vault/operations/customers/giving.py": "looks for card numbers, in memory and seen by nobody",
    "vault/operations/house/scanning.py": "looks for card numbers, in memory and seen by nobody",
    "vault/outbox/mail.py": "gives the mail server its password",
    "vault/model/codes.py": "makes a one-time code of its seed",
    "api/routes/leases.py": "the answer of a reveal, a use and a code",
    "api/pages/holding.py": "the same, as a page",
    "cli/terminal.py": "compares two prompts",
    "cli/sshasking.py": "answers ssh, which asks for the password",
    "cli/sshagents.py": "gives an agent of its own the key",
    "vault/operations/leases/host_keys.py": "the public key of a server, for who holds a lease of its login",
}
"""Where a `Plaintext` is let out, and why there. A new place is a decision, not a convenience."""


def floor(name: str) -> int | None:
    return next((rank for package, rank in FLOORS.items() if is_in(name, [package])), None)


def test_the_sweep_sees_every_floor() -> None:
    seen = {floor(module_of(path)) for path in sources()}
    assert set(FLOORS.values()) <= seen
    assert ROOT / "vault" / "storage" / "writer.py" in sources()


def test_imports_are_seen_wherever_they_hide() -> None:
    """The canary of everything below."""
    hidden = """
if TYPE_CHECKING:
    import a.b
def f():
    from c.d import e
    importlib.import_module("g.h")
    import_module(f"i.{e}")
from . import j
"""
    assert set(imports(ast.parse(hidden))) == {"a.b", "c.d", "c.d.e", "g.h", "i", ".", "..j"}


@pytest.mark.parametrize("path", sources(), ids=named)
def test_imports_only_go_down(path: Path) -> None:
    module = module_of(path)
    mine = floor(module)
    if mine is None:
        assert named(path) == "vault/__init__.py", "a module that stands on no floor"
        return
    for name in imports(tree_of(path)):
        assert not name.startswith("."), f"{named(path)} imports by a relative path"
        theirs = floor(name)
        assert theirs is None or theirs <= mine, f"{named(path)} reaches up to {name}"
        apart = (
            {module.split(".")[1], name.split(".")[1]} == {"storage", "policy"}
            if theirs == mine == 4
            else False
        )
        assert not apart, f"{named(path)} knows {name}, and rules are kept apart from storage"
        assert not is_in(name, ["tests", "bench"]), f"{named(path)} needs {name}, which is not shipped"


@pytest.mark.parametrize("path", sources("vault"), ids=named)
def test_the_core_knows_no_web_and_no_terminal(path: Path) -> None:
    assert not [name for name in imports(tree_of(path)) if is_in(name, WEB)]


@pytest.mark.parametrize("path", sources("vault/policy", "vault/ledger", "vault/crypto"), ids=named)
def test_rules_log_and_bytes_know_no_database(path: Path) -> None:
    assert not [name for name in imports(tree_of(path)) if is_in(name, DATABASE)]


@pytest.mark.promise("P6")
def test_the_verifier_needs_nothing_but_python() -> None:
    names = list(imports(tree_of(ROOT / "vault/ledger/verify.py")))
    assert "hashlib" in names
    assert not [name for name in names if name.split(".")[0] not in sys.stdlib_module_names]


@pytest.mark.promise("P3")
@pytest.mark.parametrize("start", ["api.intake", "api.serve_intake"])
def test_nothing_that_the_intake_imports_can_open(start: str) -> None:
    reached = reached_from(start)
    assert "vault.crypto.sealing" in reached, "the canary: the intake seals for browsers without JavaScript"
    ways = {name: by for name, by in reached.items() if is_in(name, OPENS)}
    assert not ways, f"the intake can open, by way of: {ways}"


@pytest.mark.promise("P3")
def test_an_intake_of_its_own_has_loaded_nothing_that_opens() -> None:
    """What the imports say, seen in a real process: neither our own openers nor any database."""
    program = "import sys, api.serve_intake; print(*sorted(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = run.stdout.split()
    assert "vault.crypto.sealing" in loaded
    assert not [
        name for name in loaded if is_in(name, (*OPENS, "sqlalchemy", "sqlmodel", "sqlite3", "argon2"))
    ]


@pytest.mark.promise("P3")
def test_what_seals_for_the_intake_imports_no_opening() -> None:
    for module in ("vault.crypto.sealing", "vault.crypto.statement"):
        assert not [name for name in reached_from(module) if is_in(name, OPENS)]


def test_the_way_to_the_opening_would_be_seen() -> None:
    """The canary: from operations there is a way, so the search finds ways."""
    assert "vault.crypto.opening" in reached_from("vault.operations")


def transactions(tree: ast.Module) -> Iterator[str]:
    """Functions that open a transaction which commits when its block ends."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            blocks = [node for node in ast.walk(function) if isinstance(node, ast.With | ast.AsyncWith)]
            if any(list(calls(i.context_expr, ["begin", "begin_nested"])) for b in blocks for i in b.items):
                yield function.name


@pytest.mark.promise("P1")
def test_one_place_commits_what_the_ledger_records() -> None:
    assert {named(path) for path in sources() if list(calls(tree_of(path), ["commit"]))} == COMMITS
    opened = {(named(path), function) for path in sources() for function in transactions(tree_of(path))}
    assert opened == TRANSACTIONS


@pytest.mark.promise("P1")
def test_only_the_writer_makes_receipts() -> None:
    made = {named(path) for path in sources() if list(calls(tree_of(path), ["Receipt"]))}
    made.discard("api/intake/app.py")
    makers = {name for name in made if "vault.storage.keys.Receipt" in set(imports(tree_of(ROOT / name)))}
    assert makers == {"vault/storage/writer.py"}


@pytest.mark.promise("P9")
def test_a_plaintext_is_let_out_only_where_there_is_a_reason() -> None:
    places = {named(path) for path in sources() if list(calls(tree_of(path), ["expose"]))}
    assert not places - set(EXPOSES), "a plaintext is let out without a reason in this test"
    assert not set(EXPOSES) - places, "a reason in this test is out of date"
    inside = {
        named(path)
        for path in sources()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr == "_value"
    }
    assert inside == {"vault/values.py"}, "a plaintext is read without its one exit"


@pytest.mark.parametrize("path", sources(), ids=named)
def test_nothing_that_a_promise_rests_on_is_an_assert_statement(path: Path) -> None:
    lines = [node.lineno for node in ast.walk(tree_of(path)) if isinstance(node, ast.Assert)]
    assert not lines, f"python -O would drop these lines of {named(path)}: {lines}"


@pytest.mark.parametrize("path", [path for path in sources() if path.name == "__init__.py"], ids=named)
def test_an_import_says_where_a_thing_lives(path: Path) -> None:
    assert path.read_text("utf-8") == ""


@pytest.mark.parametrize(
    "path",
    [
        path
        for folder in ("vault", "api", "cli", "bench", "tests")
        for ending in ("py", "js", "css", "html")
        for path in sorted((ROOT / folder).rglob(f"*.{ending}"))
    ],
    ids=named,
)
def test_no_file_holds_two_nouns(path: Path) -> None:
    length = len(path.read_text("utf-8").splitlines())
    longest = LONGEST_TEST if path.is_relative_to(ROOT / "tests") else LONGEST
    assert length <= LONGER.get(named(path), longest), f"{named(path)} has {length} lines"


def test_the_clock_is_read_in_one_place() -> None:
    reads = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    said = {
        named(path)
        for path in sources("vault", "api")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in reads
    }
    assert said == {"vault/storage/clock.py"}


def test_randomness_comes_from_secrets_and_ids_from_one_function() -> None:
    others = ("random", "uuid", "numpy")
    assert not [named(path) for path in sources() for name in imports(tree_of(path)) if is_in(name, others)]
    assert not [named(path) for path in sources() if list(calls(tree_of(path), ["urandom", "getrandom"]))]
    choosing = {named(path) for path in sources() if list(calls(tree_of(path), ["choice"]))}
    assert choosing <= {"vault/values.py", "vault/crypto/tokens.py"}


@pytest.mark.attack("IN14")
def test_no_stored_address_can_make_the_server_call_it() -> None:
    """Nothing on the server's side has a client of any protocol, but for mail to the one configured host."""
    clients = ("requests", "httpx", "httpx2", "aiohttp", "urllib.request", "urllib3", "http.client", "ftplib")
    others = ("telnetlib", "poplib", "imaplib", "smtplib", "xmlrpc", "asyncssh", "paramiko", "boto3")
    served = sources("vault", "api")
    assert not [
        named(path) for path in served for name in imports(tree_of(path)) if is_in(name, clients + others)
    ]
    outgoing = {
        named(path) for path in served if list(calls(tree_of(path), ["create_connection", "open_connection"]))
    }
    assert not outgoing
    mail = {named(path) for path in served for name in imports(tree_of(path)) if is_in(name, ["aiosmtplib"])}
    assert {name.rsplit("/", 1)[0] for name in mail} <= {"vault/outbox"}


@pytest.mark.attack("IN16")
def test_nothing_unpacks_an_archive_or_runs_what_was_stored() -> None:
    unpackers = (
        "zipfile",
        "tarfile",
        "gzip",
        "bz2",
        "lzma",
        "zipimport",
        "py7zr",
        "brotli",
        "zstandard",
        "PIL",
    )
    runners = ("pickle", "marshal", "shelve", "code", "runpy", "yaml", "ctypes.util")
    for path in sources():
        risky = [name for name in imports(tree_of(path)) if is_in(name, unpackers + runners)]
        assert not risky, f"{named(path)} imports {risky}"
        lines = list(
            calls(
                tree_of(path),
                ["eval", "exec", "unpack_archive", "decompress", "decompressobj", "system", "popen"],
            )
        )
        assert not lines, f"{named(path)} runs or unpacks something on lines {lines}"


@pytest.mark.attack("DP04")
def test_nothing_makes_temporary_files() -> None:
    """Nor do uploads, which the framework would put into one: no route takes a file."""
    makers = ("tempfile", "fastapi.UploadFile", "fastapi.File", "starlette.datastructures.UploadFile")
    assert not [named(path) for path in sources() for name in imports(tree_of(path)) if is_in(name, makers)]
    forms = {named(path) for path in sources("api") if list(calls(tree_of(path), ["form"]))}
    parses = [
        ast.unparse(node) for name in forms for node in ast.walk(tree_of(ROOT / name)) if _is_form(node)
    ]
    assert parses
    assert all(parse == "request.form(max_files=0)" for parse in parses)


def _is_form(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "request.form"
