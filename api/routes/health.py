"""Whether the vault is there, for whoever watches it: open to everybody, and telling nothing else."""

from fastapi import APIRouter, Response

from api.depends import TheVault
from vault.model.views import HealthView
from vault.operations.vault import Vault

router = APIRouter(tags=["health"])


def health_of(vault: Vault) -> HealthView:
    """What the vault can do now; the worst first."""
    if not vault.writer.recording:
        return HealthView(status="not recording", schema_version=vault.schema)
    if vault.timekeeper.in_doubt:
        return HealthView(status="clock in doubt", schema_version=vault.schema)
    return HealthView(status="sealed" if vault.is_sealed else "ok", schema_version=vault.schema)


@router.get("/healthz", name="open")
async def alive(vault: TheVault) -> HealthView:
    """Say what the vault can do now; that it answers at all says that the process lives."""
    return health_of(vault)


@router.get("/readyz", name="open", responses={503: {"model": HealthView}})
async def ready(vault: TheVault, response: Response) -> HealthView:
    """Answer 200 when everything works, else 503; the customers' form may work all the same."""
    health = health_of(vault)
    response.status_code = {"ok": 200}.get(health.status, 503)
    return health
