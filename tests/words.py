"""The sentences that customers read, found in code and templates, and what the German catalogue says for them.

`python -m tests.words --write` puts new sentences into vault/locale/de.po, with nothing said for them yet, and sets
aside those that are gone; `--tidy` throws away what was set aside.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from tests.source_tree import ROOT
from vault.languages import LOCALE
from vault.model.kinds import KINDS

GERMAN = LOCALE / "de.po"
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "phrase": None,
    "marked": None,
    "ngettext": (1, 2),
}
TEMPLATES = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "silent": "false"}

Sentence = str | tuple[str, ...]


def sentences() -> Iterator[tuple[str, Sentence]]:
    """Pairs of (file, sentence), a pair of sentences where the number decides; the same one as often as it is said."""
    for folder in ("vault", "api"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix == ".py":
                yield from _in(path, "python", {})
            elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
                yield from _in(path, "jinja2.ext:babel_extract", TEMPLATES)
    for kind in KINDS.values():
        yield "vault/model/kinds.py", kind.title
        for field in kind.all_fields:
            yield "vault/model/kinds.py", field.title


def _in(path: Path, method: str, options: dict[str, str]) -> Iterator[tuple[str, Sentence]]:
    with path.open("rb") as file:
        for _, said, _, _ in extract(method, file, KEYWORDS, options=options):
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
