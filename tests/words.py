"""The sentences that customers read, found in code and templates, and what the German catalogue says for them.

`python -m tests.words --write` puts new sentences into vault/locale/de.po, with nothing said for them yet, and sets
aside those that are gone; `--tidy` throws away what was set aside.
"""

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from tests.source_tree import ROOT, tree_of
from vault import errors
from vault.languages import LOCALE
from vault.model.kinds import KINDS
from vault.sentences import Sentence

GERMAN = LOCALE / "de.po"
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "phrase": None,
    "marked": None,
    "Sentence": None,
    "ngettext": (1, 2),
}
SCRIPTS = ROOT / "api" / "static"
TEMPLATES = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "silent": "false"}

REFUSALS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.VaultError)
}
CUSTOMERS_MEET = (
    *(f"vault/model/{name}.py" for name in ("kind", "kinds")),
    "vault/operations/attempts.py",
    "vault/operations/people/factors.py",
    *(f"vault/operations/customers/{name}.py" for name in ("forms", "giving", "intake", "pins")),
    *(
        f"vault/operations/customers/{name}.py"
        for name in ("mine", "own_approvals", "own_passkeys", "visits")
    ),
    *(f"vault/crypto/{name}.py" for name in ("passkeys", "statement", "tokens")),
    "vault/values.py",
    "api/visiting.py",
    "api/intake/*.py",
    *(f"api/pages/{name}.py" for name in ("mine", "details", "stopping")),
)
"""Where refusals are made that customers read, on the form or on their own page."""
NAMED = ("a name", "a passkey's name")
"""What `clean_text` is told to call what customers type."""

Said = str | tuple[str, ...]


def sentences() -> Iterator[tuple[str, Said]]:
    """Pairs of (file, sentence), a pair of sentences where the number decides; the same one as often as it is said."""
    for folder in ("vault", "api"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix == ".py":
                yield from _in(path, "python", {})
            elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
                yield from _in(path, "jinja2.ext:babel_extract", TEMPLATES)
    for path in sorted(SCRIPTS.glob("*.js")):
        yield from _in(path, "javascript", {}, {"say": None})
    yield from _of_kinds()
    for kind in REFUSALS.values():
        if kind.hint:
            yield "vault/errors.py", kind.hint
    for pattern in CUSTOMERS_MEET:
        for path in sorted(ROOT.glob(pattern)):
            yield from _refusals(path)
    yield from (("vault/values.py", name) for name in NAMED)


def _of_kinds() -> Iterator[tuple[str, Said]]:
    """What a form says of each kind of secret and its fields."""
    for kind in KINDS.values():
        said = [kind.title, kind.hint, kind.because]
        for field in kind.all_fields:
            said += [field.title, field.hint, field.wrong, *field.choices]
        for text in filter(None, said):
            yield "vault/model/kinds.py", text.template if isinstance(text, Sentence) else text


def _refusals(path: Path) -> Iterator[tuple[str, Said]]:
    """The sentences of the refusals that a file makes, also where they stand under a name at its top."""
    tree = tree_of(path)
    named = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in REFUSALS or not node.args:
            continue
        first = node.args[0]
        said = first.value if isinstance(first, ast.Constant) else named.get(getattr(first, "id", ""), "")
        if isinstance(said, str) and said:
            yield path.relative_to(ROOT).as_posix(), said


def _in(
    path: Path, method: str, options: dict[str, str], keywords: dict[str, tuple[int, ...] | None] = KEYWORDS
) -> Iterator[tuple[str, Said]]:
    with path.open("rb") as file:
        for _, said, _, _ in extract(method, file, keywords, options=options):
            yield path.relative_to(ROOT).as_posix(), said if isinstance(said, str) else tuple(said)


def asked_for() -> Catalog:
    """All sentences of the code, with nothing said for them."""
    catalog = Catalog(locale="de", project="Valetkey", charset="utf-8", fuzzy=False)
    for file, said in sentences():
        catalog.add(said, locations=[(file, 0)])
    return catalog


def german(path: Path = GERMAN) -> Catalog:
    """The German catalogue as it is kept."""
    with path.open("rb") as file:
        return read_po(file, locale="de", charset="utf-8", abort_invalid=True)


def updated(*, tidy: bool = False) -> bytes:
    """What the German catalogue's file is to hold by the code as it stands; its glossary and head stay as they are.

    Sentences are in the order of the files that say them, without line numbers: those would change with every edit.
    """
    head, _, _ = GERMAN.read_bytes().partition(b"\n\n")
    kept = german()
    kept.update(asked_for(), no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
    body = BytesIO()
    write_po(body, kept, 110, omit_header=True, sort_by_file=True, ignore_obsolete=tidy, include_lineno=False)
    return head + b"\n\n" + body.getvalue().lstrip(b"\n")


if __name__ == "__main__":
    if not {"--write", "--tidy"} & set(sys.argv[1:]):
        sys.exit("python -m tests.words --write | --tidy")
    GERMAN.write_bytes(updated(tidy="--tidy" in sys.argv))
    unsaid = [
        str(message.id)
        for message in german()
        if message.id and not (message.string if isinstance(message.id, str) else all(message.string))
    ]
    sys.stdout.write("".join(f"nothing is said yet for: {said}\n" for said in unsaid))
