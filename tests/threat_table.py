"""The last table of docs/threat-model.md: from each promise and attack to the tests that carry its mark.

`python -m tests.threat_table --write` fills the third column of every row that is not `later: …`.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "threat-model.md"
BEGIN, END = "<!-- table:begin -->", "<!-- table:end -->"
HEAD = ("| id | what is tried, and what must come of it | shown by |", "| --- | --- | --- |")
NONE = "no test yet"
SHOWN = 3
"""A row names this many tests; who wants all of them searches for the id."""

_ROW = re.compile(r"\| (?P<id>\S+) \| (?P<told>[^|]+) \| (?P<shown>[^|]+) \|")
_TEST = re.compile(r"`(tests/[^`]+\.py::[^`]+)`")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    id: str
    told: str
    shown: str

    @property
    def is_later(self) -> bool:
        return self.shown.startswith("later: ")

    @property
    def tests(self) -> list[str]:
        return _TEST.findall(self.shown)

    def __str__(self) -> str:
        return f"| {self.id} | {self.told} | {self.shown} |"


def rows(page: str) -> list[Row]:
    """The rows, in the page's order. Raises ValueError for a line that is no row."""
    table = page.split(BEGIN, 1)[1].split(END, 1)[0].strip().splitlines()
    if tuple(table[:2]) != HEAD:
        raise ValueError("the table has another head than expected")
    found = []
    for line in table[2:]:
        match = _ROW.fullmatch(line)
        if not match:
            raise ValueError(f"not a row of three cells: {line}")
        found.append(Row(match["id"], match["told"], match["shown"]))
    return found


def marked_in(path: Path, root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Pairs of (id, test) for every test function of a file: its own marks, its class's, its module's."""
    tree = ast.parse(path.read_text("utf-8"), str(path))
    yield from _marked(tree, path.relative_to(root).as_posix(), frozenset())


def _marked(
    scope: ast.Module | ast.ClassDef, prefix: str, inherited: frozenset[str]
) -> Iterator[tuple[str, str]]:
    for node in scope.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets
        ):
            inherited |= _ids(node.value)
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            own = inherited.union(*(_ids(decorator) for decorator in node.decorator_list))
            yield from _marked(node, f"{prefix}::{node.name}", own)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for known in sorted(inherited.union(*(_ids(decorator) for decorator in node.decorator_list))):
                yield known, f"{prefix}::{node.name}"


def _ids(expression: ast.expr) -> frozenset[str]:
    """What `pytest.mark.promise(…)` and `pytest.mark.attack(…)` say anywhere in an expression."""
    found: set[str] = set()
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "pytest.mark.promise",
            "pytest.mark.attack",
        }:
            found.update(str(ast.literal_eval(argument)) for argument in node.args)
    return frozenset(found)


def marks(root: Path = ROOT) -> dict[str, list[str]]:
    """From each id to its tests, in the order of files and lines."""
    found: dict[str, list[str]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for known, test in marked_in(path, root):
            found.setdefault(known, []).append(test)
    return found


def filled(row: Row, shown_by: Mapping[str, list[str]]) -> Row:
    """The row with the tests that carry its mark; a `later` row as it is."""
    if row.is_later:
        return row
    tests = shown_by.get(row.id, [])
    named = ", ".join(f"`{test}`" for test in tests[:SHOWN])
    rest = f" and {len(tests) - SHOWN} more" if len(tests) > SHOWN else ""
    return replace(row, shown=named + rest or NONE)


def page_with(table: list[Row], page: str) -> str:
    """The page with this table in the place of its own."""
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    return "\n".join([before + BEGIN, *HEAD, *map(str, table), END + after])


def main(arguments: list[str]) -> int:
    """Print the rows without a test, or with --write bring the page up to date. Returns the exit code."""
    page = PAGE.read_text("utf-8")
    table = [filled(row, marks()) for row in rows(page)]
    if "--write" in arguments:
        PAGE.write_text(page_with(table, page), "utf-8")
    bare = [row for row in table if row.shown == NONE]
    for row in bare:
        sys.stdout.write(f"{row}\n")
    sys.stderr.write(f"{len(table)} rows, {len(bare)} without a test\n")
    return 1 if bare else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
