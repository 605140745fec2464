"""What may be sent to the JSON API: closed shapes, bounded texts, ids that are shaped like ids."""

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from vault.model.views import SessionView, View
from vault.values import (
    CustomerId,
    LeaseId,
    PersonId,
    Prefix,
    RequestId,
    SecretId,
    ServiceId,
    TicketId,
    known_id,
)

LONGEST_TEXT = 2000
"""Characters of any one text; what a text may really have is said where it is parsed."""
LARGEST_SEQ = 2**53 - 1


def _shaped(prefix: Prefix) -> AfterValidator:
    def check(raw: str) -> str:
        return known_id(prefix, raw)

    return AfterValidator(check)


CustomerRef = Annotated[CustomerId, _shaped("cus")]
PersonRef = Annotated[PersonId, _shaped("per")]
SecretRef = Annotated[SecretId, _shaped("sec")]
ServiceRef = Annotated[ServiceId, _shaped("svc")]

ServicePath = Annotated[ServiceId, Path(), _shaped("svc")]
RequestPath = Annotated[RequestId, Path(), _shaped("req")]
TicketPath = Annotated[TicketId, Path(), _shaped("tkt")]
LeasePath = Annotated[LeaseId, Path(), _shaped("lse")]

Seq = Annotated[int, Query(ge=0, le=LARGEST_SEQ)]
Filter = Annotated[str | None, Query(max_length=60)]

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
HiddenText = Annotated[str, Field(max_length=LONGEST_TEXT, repr=False)]
KindName = Annotated[str, Field(max_length=40)]
Deliver = Literal["mail", "hand"]


class Body(BaseModel):
    """Unknown fields are refused, and nothing that was sent is repeated in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)


class SignIn(Body):
    """Who wants to sign in, and the two proofs."""

    mail: Text
    password: HiddenText
    code: HiddenText


class SignedInAnswer(View):
    """The one answer that holds a session's token."""

    token: str = Field(repr=False)
    session: SessionView


class Agreed(Body):
    """Which version of the confidentiality agreement was read and accepted."""

    version: int = Field(ge=1, le=1_000_000)


class NewCustomer(Body):
    """A customer to be added."""

    name: Text
    mail: Text


class NewService(Body):
    """A service to be registered. `ends_at` carries its zone."""

    customer: CustomerRef
    type: Text
    title: Text
    ends_at: Annotated[AwareDatetime, Field(strict=False)]


class EndService(Body):
    """The service's own title, typed again, and a fresh one-time code: the deed cannot be undone."""

    confirm: Text
    code: HiddenText


class AskFor(Body):
    """What to ask a customer for; without `kinds`, what the service type needs."""

    kinds: Annotated[list[KindName], Field(min_length=1, max_length=20)] | None = None
    deliver: Deliver


class Reissue(Body):
    """How the fresh intake code goes out."""

    deliver: Deliver


class NewTicket(Body):
    """A ticket to be opened on a service."""

    service: ServiceRef
    number: Text
    title: Text


class Assignee(Body):
    """Whom it concerns."""

    person: PersonRef


class NewLease(Body):
    """What to check out, for how long, why, and a fresh code as proof of presence."""

    secrets: Annotated[list[SecretRef], Field(min_length=1, max_length=50)]
    minutes: int = Field(ge=1, le=100_000)
    reason: Text
    code: HiddenText


class Reveal(Body):
    """One field of one secret."""

    secret: SecretRef
    field: KindName


class Broken(Body):
    """A login that does not work, and what was seen."""

    secret: SecretRef
    note: Text


class Revealed(View):
    """One field's value, byte for byte as the customer gave it."""

    value: str = Field(repr=False)
