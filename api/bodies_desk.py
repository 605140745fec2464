"""What may be sent about work at the desk: leases while they run, assignments of several, reviews."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from api.bodies import (
    Body,
    KindName,
    Later,
    PersonRef,
    Proving,
    SecretRef,
    Text,
    TicketRef,
    shaped,
)
from vault.model.views import View
from vault.values import ReviewId

ReviewPath = Annotated[ReviewId, Path(), shaped("rev")]
LONGEST_MINUTES = 100_000
LONGEST_HOST_KEY = 4_000
"""Characters of a server's public key on one line; one of RSA with 16,384 bits has 2,800."""


class NewLease(Proving):
    """What to check out, for how long and why."""

    secrets: Annotated[list[SecretRef], Field(min_length=1, max_length=50)]
    minutes: int = Field(ge=1, le=LONGEST_MINUTES)
    reason: Text
    begins_at: Later | None = None
    """When it is to begin; without it, at once. Carries its zone."""


class Reveal(Proving):
    """One field of one secret; of an extraordinary kind with a proof for this very look."""

    secret: SecretRef
    field: KindName


class Broken(Body):
    """A login that does not work, and what was seen."""

    secret: SecretRef
    note: Text


class Revealed(View):
    """One field's value, byte for byte as the customer gave it."""

    value: str = Field(repr=False)


class Extend(Proving):
    """By how many minutes a lease is to be longer."""

    minutes: int = Field(ge=1, le=LONGEST_MINUTES)


class WantedCode(Proving):
    """The secret that a one-time code is wanted of."""

    secret: SecretRef


class IssuedCode(View):
    """A one-time code. It counts until `until`; a new one begins every `period` seconds."""

    code: str = Field(repr=False)
    period: int
    until: datetime


class BreakGlass(Proving):
    """Why somebody opens what waits for a yes that nobody can give now."""

    reason: Text


class CloseReview(Proving):
    """What somebody else thinks of it: `justified` or `not justified`, and of how many openings they have read."""

    verdict: KindName
    note: Text
    seen: Annotated[int, Field(ge=0, strict=True)] = 0


class AssignAll(Body):
    """Several tickets, whom to put on them, and until when."""

    tickets: Annotated[list[TicketRef], Field(min_length=1, max_length=50)]
    person: PersonRef
    until: Later | None = None


class HandOver(Body):
    """Who leaves the open tickets of a service, and who takes them on."""

    from_person: PersonRef
    to_person: PersonRef
    until: Later | None = None


class HandedOver(View):
    """On how many tickets somebody took another's place."""

    tickets: int


class MetHostKey(Body):
    """The key that a secret's server showed, as a line of OpenSSH's `known_hosts` without the name."""

    secret: SecretRef
    line: Annotated[str, Field(max_length=LONGEST_HOST_KEY)]


class KnownHostKey(Body):
    """The secret whose server's key is wanted."""

    secret: SecretRef
