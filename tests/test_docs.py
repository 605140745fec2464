"""The documents are true: what they link to, name and quote exists."""

import ast
import re
from pathlib import Path

import pytest

from tests import readme_story

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
HOUSE = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/threat-model.md",
    "docs/operations.md",
)


def test_the_sweep_sees_the_pages() -> None:
    assert {ROOT / name for name in HOUSE} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        place, _, anchor = target.partition("#")
        assert not place.startswith("http"), f"{page.name} sends its reader away to {target}"
        aim = page.parent / place if place else page
        assert aim.exists(), f"{page.name} links to {target}"
        if anchor and aim.suffix == ".md":
            assert anchor in anchors(aim.read_text("utf-8")), f"{page.name} links to {target}"


def anchors(text: str) -> set[str]:
    """The anchors that a forge makes of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`((?:vault|api|cli|tests|docs|bench|demo|\.ci)/[\w./-]+)`", page.read_text("utf-8"))
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing, f"{page.name} names what is not there: {missing}"


def test_every_function_on_the_way_of_a_reveal_exists() -> None:
    """`module.function`, `Class.method` and a bare name in the walk are defined in some source file."""
    walk = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("## Floors")[0]
    named = re.findall(r"`([A-Za-z_]+(?:\.[a-z_]+)?)(?:\(\))?`", walk)
    known = defined()
    assert "checkout.reveal" in named
    missing = [name for name in named if name not in known]
    assert not missing, f"docs/architecture.md follows functions that are not there: {missing}"


def defined() -> set[str]:
    """Names of functions and classes: bare, as `module.name`, and methods as `Class.method`."""
    found: set[str] = set()
    for path in (path for floor in ("vault", "api", "cli") for path in (ROOT / floor).rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found |= {name, f"{path.stem}.{name}"}
                case ast.ClassDef(name=name, body=body):
                    found |= {name, f"{path.stem}.{name}"}
                    methods = [m.name for m in body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)]
                    found |= {f"{name}.{method}" for method in methods} | set(methods)
                case ast.Assign(targets=[ast.Name(id=name)]):
                    found |= {name, f"{path.stem}.{name}"}
    return found


def test_the_settings_of_the_manual_are_settings() -> None:
    import tomllib

    from vault.settings import Settings

    manual = (ROOT / "docs" / "operations.md").read_text("utf-8")
    block = re.search(r"```toml\n(.*?)```", manual, re.DOTALL)
    assert block is not None
    shown = tomllib.loads(block[1])
    assert "business" in shown
    assert set(shown) <= set(Settings.model_fields)
    Settings(**shown)
    variables = {name.lower() for name in re.findall(r"VALETKEY_([A-Z_]+)", manual)}
    assert variables
    assert variables <= {*Settings.model_fields, "config"}  # the last names the file itself


def test_the_catalogue_of_the_manual_is_a_catalogue() -> None:
    from vault.operations.services.catalogue import parse

    manual = (ROOT / "docs" / "operations.md").read_text("utf-8")
    (shown,) = re.findall(r"```toml\n(\[agreement\].*?)```", manual, re.DOTALL)
    agreement, types = parse(shown)
    assert agreement
    assert set(types) == {"shop-care"}


def test_the_commands_of_the_documents_are_commands() -> None:
    import typer

    from cli.main import app

    def names(command: object, before: str) -> set[str]:
        children = getattr(command, "commands", {})
        return (
            {before}
            if not children
            else set().union(*(names(c, f"{before} {n}") for n, c in children.items()))
        )

    known = names(typer.main.get_command(app), "valetkey")
    assert "valetkey serve" in known
    for page in PAGES:
        for line in re.findall(r"(?:^\$ |`)(valetkey [^`\n]+)", page.read_text("utf-8"), re.MULTILINE):
            words = line.split()
            assert any(" ".join(words[:length]) in known for length in (2, 3)), (
                f"{page.name}: there is no {line}"
            )


def test_make_help_names_every_deed() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    deeds = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)) - {"system"}
    told = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert deeds == told
    assert {"help", "demo", "test", "test-long", "check", "bench", "lock"} <= told


def test_the_transcript_of_the_readme_is_one_of_a_story_that_held() -> None:
    lines = readme_story.transcript((ROOT / "README.md").read_text("utf-8"))
    assert lines, "the README has no transcript: make docs"
    assert lines[0] == readme_story.COMMAND
    assert re.fullmatch(r"story: \d+ steps held", lines[-1])


def test_the_first_screen_of_the_readme_has_the_two_commands() -> None:
    first = (ROOT / "README.md").read_text("utf-8").split("## ", 1)[0]
    assert "$ make demo" in first
    assert "$ make test" in first


def test_refreshing_the_transcript_changes_nothing_else() -> None:
    page = f"before\n{readme_story.BEGIN}\nold\n{readme_story.END}\nafter\n"
    told = readme_story.page_with("one\ntwo  \nstory: 2 steps held\n", page)
    assert told.startswith("before\n")
    assert told.endswith("\nafter\n")
    assert readme_story.transcript(told) == [readme_story.COMMAND, "one", "two", "story: 2 steps held"]
