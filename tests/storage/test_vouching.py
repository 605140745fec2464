"""A writer of the database alone cannot make a row, a row head or a session that the vault believes."""

import secrets
from pathlib import Path

import pytest

from tests.world import LOGIN, World
from vault.crypto.tokens import new_token, token_hash
from vault.errors import NotSignedIn, Tampered
from vault.model.tables import Assignment
from vault.operations.people import sessions
from vault.storage.rows import digest, values_of


def forge_assignment(world: World, ticket_id: str, person_id: str) -> None:
    """Put a technician on a ticket behind the vault's back, with the digest a row head would have."""
    row = Assignment(
        id=f"asg_{'0' * 20}",
        ticket_id=ticket_id,
        person_id=person_id,
        assigned_by="per_x",
        created_at=1,
        salt=b"s" * 16,
    )
    columns = ", ".join(column.key for column in row.table().columns)
    places = ", ".join(f":{column.key}" for column in row.table().columns)
    values = {column.key: getattr(row, column.key) for column in row.table().columns}
    world.sql(f"INSERT INTO assignment ({columns}) VALUES ({places})", **values)
    world.sql(
        "INSERT INTO row_head (row_id, seq, digest, tag) VALUES (:row_id, 1, :digest, :tag)",
        row_id=f"assignment:{row.id}",
        digest=digest("assignment", values_of(row)),
        tag=secrets.token_bytes(32),
    )


@pytest.mark.promise("P2", "P6")
@pytest.mark.attack("CR03", "AZ06")
def test_a_forged_assignment_with_a_forged_row_head_opens_nothing(world: World) -> None:
    service = world.service()
    secret = world.give(service)
    ticket = world.ticket(service)
    stranger = world.hire("Sid Stranger", "technician")
    forge_assignment(world, ticket.id, stranger.id)
    with pytest.raises(Tampered):
        world.lease(ticket, secret, who=stranger)
    assert (
        world.reveal(world.lease(ticket, secret), secret) == LOGIN["password"]
    )  # the rightful one still may


@pytest.mark.promise("P2", "P6")
@pytest.mark.attack("AZ06")
def test_a_session_that_was_written_into_the_database_signs_nobody_in(world: World) -> None:
    world.actor("technician")
    token = new_token("vk_ses")
    world.sql("UPDATE session SET token_hash = :forged", forged=token_hash(token))
    with pytest.raises(Tampered):
        world.run(sessions.resolve(world.vault, token, "192.0.2.1", "api"))


@pytest.mark.promise("P2", "P6")
def test_a_session_cannot_be_given_to_somebody_else(world: World) -> None:
    world.actor("auditor")
    token = world.staff["auditor"].token
    world.sql("UPDATE session SET person_id = :other", other=world.staff["technician"].id)
    with pytest.raises(Tampered):
        world.run(sessions.resolve(world.vault, token, "192.0.2.1", "api"))
    with pytest.raises(NotSignedIn):  # the canary: a token that never was is something else
        world.run(sessions.resolve(world.vault, new_token("vk_ses"), "192.0.2.1", "api"))


@pytest.mark.promise("P3", "P6")
def test_what_was_given_while_sealed_is_vouched_for_at_unseal_and_survives_a_restart(
    world: World, tmp_path: Path
) -> None:
    service = world.service()
    request = world.ask(service)
    world.seal()
    browser, form = world.begin(request)
    receipt = world.hand_in(browser, world.sealed(form))
    assert world.sql("SELECT count(*) FROM row_head WHERE tag = :none", none=b"")[0][0] > 0
    world.unseal()
    assert world.sql("SELECT count(*) FROM row_head WHERE tag = :none", none=b"")[0][0] == 0
    world.reopen()
    lease = world.lease(world.ticket(service), receipt.secret)
    assert world.reveal(lease, receipt.secret) == LOGIN["password"]
