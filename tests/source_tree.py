"""The project's own sources, read as syntax: which modules there are, and what each of them imports."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("vault", "api", "cli")


def sources(*folders: str) -> list[Path]:
    """Every Python file of these folders; of all three packages when none is named."""
    return sorted(path for folder in folders or PACKAGES for path in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    """The file's path inside the repository."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """`vault/crypto/__init__.py` is `vault.crypto`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(tree: ast.AST) -> Iterator[str]:
    """Every name that is imported anywhere in it: in functions, in branches, under TYPE_CHECKING.

    `from a.b import c` gives `a.b` and `a.b.c`, because c may be a module; a relative one has a leading dot;
    `import_module(f"a.{b}")` gives `a`.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            asked = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            yield ast.literal_eval(asked).rstrip(".")


def is_in(name: str, packages: Iterable[str]) -> bool:
    """Whether a dotted name is one of the packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def reached_from(package: str) -> dict[str, str]:
    """Every module of ours that importing the package's modules would load, and who imports it first."""
    known = {module_of(path): path for path in sources()}
    waiting = [(name, "itself") for name in known if is_in(name, [package])]
    reached: dict[str, str] = {}
    while waiting:
        name, by = waiting.pop()
        if name in reached or name not in known:
            continue
        reached[name] = by
        wanted = set(imports(tree_of(known[name])))
        for one in sorted(wanted):
            parts = one.split(".")
            waiting += [(".".join(parts[:length]), name) for length in range(1, len(parts) + 1)]
    return reached


def calls(tree: ast.AST, names: Iterable[str]) -> Iterator[int]:
    """Lines on which something's method, or a function, of one of these names is called."""
    wanted = set(names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in wanted:
                yield node.lineno
