"""The staff: who they are, and the changes of their accounts that wait for a second person."""

from fastapi import APIRouter

from api.bodies import ChangePath, DroppedRole, NewMail, NewRoles, NewStaff, PersonPath, Proving
from api.depends import SignedIn, TheVault
from vault.model.views import ChangeView, InvitationView, StaffView
from vault.operations.people import staff, vouching

router = APIRouter(prefix="/staff", tags=["staff"])


@router.get("", name="staff.list")
async def everybody(vault: TheVault, actor: SignedIn) -> StaffView:
    """List the staff, and the changes that wait."""
    return await vault.read(staff.staff, actor)


@router.post("", name="staff.ask", status_code=201)
async def invite(body: NewStaff, vault: TheVault, actor: SignedIn) -> ChangeView:
    """Ask that somebody may join; the invitation goes out once a second administrator vouches for it."""
    return await vouching.invite(vault, actor, body.name, body.mail, body.roles, body.given())


@router.post("/{person_id}/roles", name="staff.ask", status_code=201)
async def ask_roles(person_id: PersonPath, body: NewRoles, vault: TheVault, actor: SignedIn) -> ChangeView:
    """Ask that somebody has these roles."""
    return await vouching.ask_roles(vault, actor, person_id, body.roles, body.given())


@router.post("/{person_id}/reset", name="staff.ask", status_code=201)
async def ask_reset(person_id: PersonPath, body: Proving, vault: TheVault, actor: SignedIn) -> ChangeView:
    """Ask that somebody who has lost password or factors enrols anew."""
    return await vouching.ask_reset(vault, actor, person_id, body.given())


@router.post("/{person_id}/mail", name="staff.ask", status_code=201)
async def ask_mail(person_id: PersonPath, body: NewMail, vault: TheVault, actor: SignedIn) -> ChangeView:
    """Ask that somebody has another mail address."""
    return await vouching.ask_mail(vault, actor, person_id, body.mail, body.given())


@router.post("/{person_id}/drop-role", name="staff.restrict", status_code=204)
async def drop_role(person_id: PersonPath, body: DroppedRole, vault: TheVault, actor: SignedIn) -> None:
    """Take a role away, at once."""
    await vault.perform(vouching.drop_role, actor, person_id, body.role)


@router.post("/{person_id}/disable", name="staff.restrict", status_code=204)
async def disable(person_id: PersonPath, vault: TheVault, actor: SignedIn) -> None:
    """Disable somebody, at once and everywhere."""
    await vault.perform(staff.disable, actor, person_id)


@router.post("/changes/{change_id}/vouch", name="staff.vouch")
async def vouch(
    change_id: ChangePath, body: Proving, vault: TheVault, actor: SignedIn
) -> InvitationView | None:
    """Be the second person. Of an invitation that no mail server sends, the code is in the answer, this once."""
    return await vouching.vouch(vault, actor, change_id, body.given())


@router.post("/changes/{change_id}/refuse", name="staff.refuse", status_code=204)
async def refuse(change_id: ChangePath, vault: TheVault, actor: SignedIn) -> None:
    """Say no to a change that waits."""
    await vault.perform(vouching.refuse, actor, change_id)


@router.post("/changes/{change_id}/withdraw", name="staff.refuse", status_code=204)
async def withdraw(change_id: ChangePath, vault: TheVault, actor: SignedIn) -> None:
    """Take back a change that one has asked for."""
    await vault.perform(vouching.withdraw, actor, change_id)
