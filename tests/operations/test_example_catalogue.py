"""The catalogue that a new business starts from."""

from pathlib import Path

import pytest

from tests.operations.necessities import HOST
from tests.world import World
from vault.model.kinds import KINDS
from vault.model.views import AskedKind
from vault.operations.services.catalogue import apply, parse, service_types

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "catalogue.toml"
OFFERED = {
    "installation",
    "migration",
    "module-work",
    "payment-setup",
    "domain-transfer",
    "hosting-support",
}


def asked() -> list[AskedKind]:
    _, types = parse(EXAMPLE.read_text("utf-8"))
    return [one for kind in types.values() for one in (*kind.needs, *kind.may_ask)]


def test_the_example_catalogue_parses_and_shows_every_kind_of_secret() -> None:
    agreement, types = parse(EXAMPLE.read_text("utf-8"))
    assert agreement
    assert set(types) == OFFERED
    assert {one.kind for one in asked()} == {name for name, kind in KINDS.items() if not kind.made}


def test_each_reason_of_the_example_goes_on_with_the_sentence_of_the_form() -> None:
    """The form says: Clara Cole of Green Lane Web asks you for this login, to install the shop on your server."""
    for one in asked():
        assert one.because.startswith("to "), one.because
        assert not one.because.endswith("."), one.because


@pytest.mark.promise("P7")
def test_no_service_of_the_example_needs_what_is_extraordinary() -> None:
    """It is the exception there too: a coordinator asks for it by name, or nobody does."""
    _, types = parse(EXAMPLE.read_text("utf-8"))
    assert not [one for kind in types.values() for one in kind.needs if KINDS[one.kind].extraordinary]
    assert {one.kind for one in asked() if one.necessity} == {"registrar", "payment-provider"}


def test_the_example_is_applied_as_it_is_and_says_what_waits(embedded: World) -> None:
    lines = embedded.run(apply(embedded.vault, HOST, EXAMPLE.read_text("utf-8")))
    assert [line for line in lines if "waits" in line] == [
        "service type payment-setup: payment-provider waits for an administrator's approval",
        "service type domain-transfer: registrar waits for an administrator's approval",
    ]
    shown = embedded.read(service_types, embedded.actor("coordinator"))
    assert {one.name for one in shown} == OFFERED
