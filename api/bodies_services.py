"""What may be sent about the catalogue and about the ends of services."""

from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, Field

from api.bodies import Proving, Text

TypePath = Annotated[str, Path(max_length=200)]
KindPath = Annotated[str, Path(max_length=40)]


class ApproveLine(Proving):
    """The line of the catalogue as it was read, word for word: if it is another one by now, that is refused."""

    title: Text
    """The service type's."""
    because: Text
    necessity: Text


class ProlongService(Proving):
    """The new end of a service. It carries its zone."""

    ends_at: Annotated[AwareDatetime, Field(strict=False)]
