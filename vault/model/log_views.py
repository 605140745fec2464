"""What the vault shows of its log: entries, checkpoints and proofs."""

from datetime import datetime

from vault.model.views import View


class EntryView(View):
    """One entry of the ledger, read for people."""

    seq: int
    at: datetime
    type: str
    outcome: str
    actor: str
    actor_name: str
    """Empty where the name was erased or the actor is not a person."""
    channel: str
    ids: dict[str, str]
    facts: dict[str, str]
    """Disclosed fields by name: reason, name, mail, source and the like. Erased ones are absent."""


class EntryPage(View):
    """Entries, newest first. `next` continues with older ones; None at the end."""

    entries: tuple[EntryView, ...]
    next: str | None


class CheckpointView(View):
    """The newest signed checkpoint (C2SP tlog-checkpoint) and the key that verifies it (C2SP signed-note vkey)."""

    note: str
    key: str
    size: int


class ProofView(View):
    """An inclusion or consistency proof (RFC 6962): hashes from the leaf up, base64."""

    size: int
    root: str
    hashes: tuple[str, ...]
    leaf: str | None = None
