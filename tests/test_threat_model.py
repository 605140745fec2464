"""The threat model is true: each promise and attack has a row, each row a test that exists or a reason."""

import re
from pathlib import Path

import pytest

from tests import threat_table
from tests.threat_table import NONE, PAGE, ROOT, filled, marked_in, marks, rows

ATTACKS = 99
PROMISES = [f"P{number}" for number in range(1, 11)]
CASES = ROOT.parent / "shared" / "attacks.md"


@pytest.fixture(scope="module")
def table() -> dict[str, threat_table.Row]:
    found = rows(PAGE.read_text("utf-8"))
    by_id = {row.id: row for row in found}
    assert len(by_id) == len(found), "an id has two rows"
    return by_id


@pytest.fixture(scope="module")
def shown_by() -> dict[str, list[str]]:
    found = marks()
    assert found, "the sweep saw no mark at all"
    return found


def test_every_promise_and_every_attack_has_its_row(table: dict[str, threat_table.Row]) -> None:
    assert [known for known in table if known.startswith("P")] == PROMISES
    assert len(table) == len(PROMISES) + ATTACKS


def test_the_attacks_of_the_table_are_those_of_the_list(table: dict[str, threat_table.Row]) -> None:
    if not CASES.exists():
        pytest.skip("the list of attacks is not beside this repository")
    listed = re.findall(r"^- \*\*([A-Z]{2}\d{2})\b", CASES.read_text("utf-8"), re.MULTILINE)
    assert len(listed) == ATTACKS
    assert [known for known in table if not known.startswith("P")] == listed


def test_every_row_has_a_test_or_a_reason(table: dict[str, threat_table.Row]) -> None:
    bare = [row.id for row in table.values() if not row.is_later and not row.tests]
    assert not bare, f"neither a test nor a reason: {bare}; mark a test and run make docs"


def test_every_test_that_a_row_names_exists_and_carries_its_mark(
    table: dict[str, threat_table.Row], shown_by: dict[str, list[str]]
) -> None:
    for row in table.values():
        for test in row.tests:
            assert test in shown_by.get(row.id, []), (
                f"{row.id} names {test}, which does not carry its mark: make docs"
            )


def test_what_has_a_test_is_not_called_later(
    table: dict[str, threat_table.Row], shown_by: dict[str, list[str]]
) -> None:
    assert set(shown_by) <= set(table), "a test is marked with an id that no row has"
    assert not [known for known in shown_by if table[known].is_later]


def test_a_reason_is_a_reason(table: dict[str, threat_table.Row]) -> None:
    assert all(len(row.shown) > len("later: ") + 15 for row in table.values() if row.is_later)
    assert all(len(row.told) > 30 for row in table.values())


def test_marks_are_seen_wherever_pytest_sees_them(tmp_path: Path) -> None:
    """The canary of the sweep: on a module, a class, a function, a parameter; also on an async one."""
    path = tmp_path / "tests" / "test_canary.py"
    path.parent.mkdir()
    path.write_text(
        "import pytest\n"
        "pytestmark = [pytest.mark.promise('P1')]\n"
        "@pytest.mark.attack('CR01')\n"
        "class TestIt:\n"
        "    @pytest.mark.attack('CR02', 'CR03')\n"
        "    async def test_inside(self): ...\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.attack('CR06'))])\n"
        "def test_outside(x): ...\n"
        "def helper(): ...\n"
    )
    assert list(marked_in(path, tmp_path)) == [
        *((known, "tests/test_canary.py::TestIt::test_inside") for known in ("CR01", "CR02", "CR03", "P1")),
        *((known, "tests/test_canary.py::test_outside") for known in ("CR06", "P1")),
    ]


def test_filling_leaves_reasons_and_names_the_tests() -> None:
    later = threat_table.Row("DE06", "something", "later: there are no holds")
    bare = threat_table.Row("CR06", "something", "`tests/test_gone.py::test_gone`")
    four = [f"tests/test_a.py::test_{name}" for name in "abcd"]
    assert filled(later, {"DE06": four}) == later
    assert filled(bare, {}).shown == NONE
    assert filled(bare, {"CR06": four}).tests == four[:3]
    assert filled(bare, {"CR06": four}).shown.endswith("` and 1 more")
