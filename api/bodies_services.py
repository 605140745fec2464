"""What may be sent about the catalogue and about the ends of services."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import AwareDatetime, Field

from api.bodies import CustomerRef, Proving, Text

TypePath = Annotated[str, Path(max_length=200)]
CustomerPath = Annotated[CustomerRef, Path()]
KindPath = Annotated[str, Path(max_length=40)]
Approval = Literal["coordinator", "customer"]
"""Whose yes each lease takes."""


class ApproveLine(Proving):
    """The line of the catalogue as it was read, word for word: if it is another one by now, that is refused."""

    title: Text
    """The service type's."""
    because: Text
    necessity: Text
    approval: Approval


class ProlongService(Proving):
    """The new end of a service. It carries its zone."""

    ends_at: Annotated[AwareDatetime, Field(strict=False)]
