"""What may be sent about the catalogue and about the ends of services."""

from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, Field

from api.bodies import Proving

TypePath = Annotated[str, Path(max_length=200)]
KindPath = Annotated[str, Path(max_length=40)]


class ApproveLine(Proving):
    """The line of the catalogue as it was read: another one by now is refused."""

    line: Annotated[str, Field(min_length=64, max_length=64)]
    """Its digest, as the list of service types names it."""


class ProlongService(Proving):
    """The new end of a service. It carries its zone."""

    ends_at: Annotated[AwareDatetime, Field(strict=False)]
