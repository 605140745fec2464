"""Reading the ledger, and what it takes to verify it without trusting us."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.bodies import LARGEST_SEQ, Filter, Seq
from api.depends import SignedIn, TheVault
from vault.model.log_views import CheckpointView, EntryPage, ProofView
from vault.operations.house import audit

BLOCK = 64 * 1024
"""Bytes of a bundle that are sent at once."""

router = APIRouter(prefix="/ledger", tags=["ledger"])


@router.get("/entries", name="log.read")
async def entries(
    vault: TheVault,
    actor: SignedIn,
    before: Annotated[int | None, Query(ge=0, le=LARGEST_SEQ)] = None,
    entry_type: Annotated[str | None, Query(alias="type", max_length=60)] = None,
    service: Filter = None,
    person: Annotated[str | None, Query(alias="actor", max_length=60)] = None,
) -> EntryPage:
    """List entries, newest first; `next` of a page is the `before` of the one after it."""
    return await vault.read(audit.entries, actor, before, entry_type, service, person)


@router.get("/checkpoint", name="log.read")
async def checkpoint(vault: TheVault, actor: SignedIn) -> CheckpointView:
    """Show the newest signed checkpoint and the key that verifies it."""
    return await audit.checkpoint(vault, actor)


@router.get("/bundle", name="log.read", response_class=StreamingResponse)
async def bundle(vault: TheVault, actor: SignedIn) -> StreamingResponse:
    """Export everything that `valetkey audit verify` needs, as one text file."""
    return StreamingResponse(
        in_blocks(await audit.bundle(vault, actor)),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="valetkey-log.txt"'},
    )


def in_blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Join the lines of a bundle into blocks of about BLOCK bytes, for sending."""
    # each block is fetched by a thread of the pool, so that an export holds up nobody: a line is too little
    block = bytearray()
    for line in lines:
        block += line
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)


@router.get("/inclusion", name="log.read")
async def inclusion(seq: Seq, vault: TheVault, actor: SignedIn) -> ProofView:
    """Prove that an entry is in the newest checkpoint's tree."""
    return await vault.read(audit.inclusion, actor, seq)


@router.get("/consistency", name="log.read")
async def consistency(
    vault: TheVault,
    actor: SignedIn,
    older: Annotated[int, Query(alias="from", ge=0, le=LARGEST_SEQ)],
    newer: Annotated[int, Query(alias="to", ge=0, le=LARGEST_SEQ)],
) -> ProofView:
    """Prove that the tree of one size extends that of a smaller one."""
    return await vault.read(audit.consistency, actor, older, newer)
