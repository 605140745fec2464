"""Proving a deed, in one session, that was asked for in another one of the same person."""

from fastapi import APIRouter

from api.bodies import ChallengePath, ProvedHere
from api.depends import SignedIn, TheVault
from vault.model.views import DeedView
from vault.operations import presence

router = APIRouter(prefix="/presence", tags=["presence"])


@router.get("/{challenge_id}", name="presence.prove")
async def deed(challenge_id: ChallengePath, vault: TheVault, actor: SignedIn) -> DeedView:
    """Say what is to be proved, and with what it can be."""
    return await vault.read(presence.deed_of, actor, challenge_id)


@router.post("/{challenge_id}", name="presence.prove", status_code=204)
async def prove(challenge_id: ChallengePath, body: ProvedHere, vault: TheVault, actor: SignedIn) -> None:
    """Prove it; whoever asked repeats their request with the challenge alone."""
    await presence.prove_here(vault, actor, challenge_id, body.given())
