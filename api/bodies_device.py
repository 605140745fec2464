"""What may be sent about API tokens and about command lines that sign in, and the answers that hold a token."""

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, Field

from api.bodies import Body, KindName, Proving, Text
from vault.model.views import ApiTokenView, View
from vault.operations.people.tokens import USUAL_DAYS
from vault.values import TokenId, known_id


def _token_id(raw: str) -> str:
    return known_id("tok", raw)


TokenPath = Annotated[TokenId, Path(), AfterValidator(_token_id)]


class NewApiToken(Proving):
    """What an API token is called, what it is for, and for how many days."""

    name: Text
    scopes: Annotated[list[KindName], Field(min_length=1, max_length=20)]
    days: int = Field(USUAL_DAYS, ge=1, le=100_000)


class MadeApiToken(View):
    """The one answer that holds an API token."""

    token: str = Field(repr=False)
    about: ApiTokenView


UserCode = Annotated[str, Field(max_length=100, repr=False)]


class WhichDevice(Body):
    """The code that a command line shows. It is not part of an address, because addresses are logged."""

    user_code: UserCode


class DeviceAnswer(Proving):
    """Whether the command line that shows this code may sign in as whoever answers. To allow it takes presence."""

    user_code: UserCode
    allow: bool
