"""Whether the vault is there, for whoever watches it: open to everybody, and telling nothing else."""

from fastapi import APIRouter, Response

from api.depends import TheVault
from vault.model.views import HealthView
from vault.operations import operator

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive(vault: TheVault) -> HealthView:
    """Say what the vault can do now; the answer itself says that the process lives."""
    return await operator.health(vault)


@router.get("/readyz")
async def ready(vault: TheVault, response: Response) -> HealthView:
    """Answer 200 when everything works, else 503; the customers' form may work all the same."""
    health = await operator.health(vault)
    response.status_code = {"ok": 200}.get(health.status, 503)
    return health
