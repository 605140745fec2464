"""What may be sent about leases that wait for a yes: always with the digest of what was read."""

from typing import Annotated

from pydantic import Field

from api.bodies import Body, Proving, Text

DIGEST = 64
"""Hexadecimal characters of a SHA-256."""
Digest = Annotated[str, Field(max_length=DIGEST)]


class ApproveLease(Proving):
    """A coordinator's yes to exactly this."""

    digest: Digest


class RefuseLease(Body):
    """A coordinator's no, and why not."""

    digest: Digest
    reason: Text


class OwnAnswer(Body):
    """A customer's answer to exactly this."""

    digest: Digest
