"""The catalogue that a new business starts from."""

from pathlib import Path

from vault.model.kinds import KINDS
from vault.operations.catalogue import parse

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "catalogue.toml"


def test_the_example_catalogue_parses_and_shows_every_kind_of_secret() -> None:
    agreement, types = parse(EXAMPLE.read_text("utf-8"))
    assert agreement
    assert len(types) > 1
    asked = [one for kind in types.values() for one in (*kind.needs, *kind.may_ask)]
    assert {one.kind for one in asked} == set(KINDS)


def test_each_reason_of_the_example_goes_on_with_the_sentence_of_the_form() -> None:
    """The form says: Clara Cole of Green Lane Web asks you for this login, to install the shop on your server."""
    _, types = parse(EXAMPLE.read_text("utf-8"))
    for kind in types.values():
        for asked in (*kind.needs, *kind.may_ask):
            assert asked.because.startswith("to "), asked.because
            assert not asked.because.endswith("."), asked.because
