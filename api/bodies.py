"""What may be sent to the JSON API: closed shapes, bounded texts, ids that are shaped like ids."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from vault.model.views import EnrolmentView, SessionView, View
from vault.operations.presence import NOTHING, Presence
from vault.values import (
    ChallengeId,
    ChangeId,
    CustomerId,
    FactorId,
    LeaseId,
    Moment,
    PersonId,
    Prefix,
    RequestId,
    SecretId,
    ServiceId,
    SessionId,
    TicketId,
    known_id,
    to_moment,
)

LONGEST_TEXT = 2000
"""Characters of any one text; what a text may really have is said where it is parsed."""
LARGEST_SEQ = 2**53 - 1
LARGEST_ANSWER = 16 * 1024
"""Characters of everything that a passkey answers. Real answers have 600 to 4,000."""


def shaped(prefix: Prefix) -> AfterValidator:
    """A check that an id is shaped like one of that prefix."""

    def check(raw: str) -> str:
        return known_id(prefix, raw)

    return AfterValidator(check)


ChallengeRef = Annotated[ChallengeId, shaped("chl")]
CustomerRef = Annotated[CustomerId, shaped("cus")]
PersonRef = Annotated[PersonId, shaped("per")]
SecretRef = Annotated[SecretId, shaped("sec")]
ServiceRef = Annotated[ServiceId, shaped("svc")]
TicketRef = Annotated[TicketId, shaped("tkt")]

ServicePath = Annotated[ServiceId, Path(), shaped("svc")]
RequestPath = Annotated[RequestId, Path(), shaped("req")]
TicketPath = Annotated[TicketId, Path(), shaped("tkt")]
LeasePath = Annotated[LeaseId, Path(), shaped("lse")]
PersonPath = Annotated[PersonId, Path(), shaped("per")]
ChangePath = Annotated[ChangeId, Path(), shaped("chg")]
FactorPath = Annotated[FactorId, Path(), shaped("fac")]
SessionPath = Annotated[SessionId, Path(), shaped("ses")]
ChallengePath = Annotated[ChallengeId, Path(), shaped("chl")]

Seq = Annotated[int, Query(ge=0, le=LARGEST_SEQ)]
Filter = Annotated[str | None, Query(max_length=60)]

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
HiddenText = Annotated[str, Field(max_length=LONGEST_TEXT, repr=False)]
KindName = Annotated[str, Field(max_length=40)]
RoleNames = Annotated[list[KindName], Field(min_length=1, max_length=10)]
Later = Annotated[AwareDatetime, Field(strict=False)]
"""A time with its zone."""
Deliver = Literal["mail", "hand"]
Code = Annotated[str, Field(min_length=1, max_length=100)]
Encoded = Annotated[str, Field(max_length=LARGEST_ANSWER)]
"""Bytes in URL-safe base64; what they are is for the passkeys' own reader to judge."""


def moment_of(later: datetime | None) -> Moment | None:
    """A time that was sent, in microseconds for an operation; None where none was."""
    return None if later is None else to_moment(later)


class Body(BaseModel):
    """Unknown fields are refused, and nothing that was sent is repeated in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)


# -- what proves presence ---------------------------------------------------------------------------------------------


class FromBrowser(Body):
    """A part of `PublicKeyCredential.toJSON()` (WebAuthn L3, 5.1), in the browsers' own spelling."""

    model_config = ConfigDict(alias_generator=to_camel)


class CredentialProperties(FromBrowser):
    """Whether the passkey can be found without a name."""

    rk: bool | None = None


class ExtensionResults(FromBrowser):
    """What came of extensions. We ask for none; some password managers tell this one all the same."""

    cred_props: CredentialProperties | None = None


class PasskeyResponse(FromBrowser):
    """The authenticator's part: of a new passkey the attestation, of one that is used the signature."""

    client_data_json: Encoded = Field(alias="clientDataJSON", repr=False)
    authenticator_data: Encoded | None = Field(default=None, repr=False)
    attestation_object: Encoded | None = Field(default=None, repr=False)
    signature: Encoded | None = Field(default=None, repr=False)
    user_handle: Encoded | None = Field(default=None, repr=False)
    public_key: Encoded | None = Field(default=None, repr=False)
    public_key_algorithm: int | None = None
    transports: Annotated[list[KindName], Field(max_length=10)] | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if sum(len(text) for _name, text in self if isinstance(text, str)) > LARGEST_ANSWER:
            raise PydanticCustomError("answer_too_large", "a passkey's answer is smaller")
        return self


class PasskeyAnswer(FromBrowser):
    """What a browser's passkey has answered to a challenge."""

    id: Annotated[str, Field(max_length=1400)]
    raw_id: Annotated[str, Field(max_length=1400)]
    type: KindName
    response: PasskeyResponse
    client_extension_results: ExtensionResults | None = None
    authenticator_attachment: KindName | None = None

    def plain(self) -> dict[str, Any]:
        """The answer as it was sent, but for what was null."""
        return self.model_dump(by_alias=True, exclude_none=True)


class PresenceBody(Body):
    """A one-time code, or a challenge with a passkey's answer, or one that was proved in a browser meanwhile."""

    code: Code | None = Field(default=None, repr=False)
    challenge: ChallengeRef | None = None
    answer: PasskeyAnswer | None = None

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if (self.code is None) == (self.challenge is None) or (self.code and self.answer):
            raise PydanticCustomError("one_proof", "either a code or a challenge")
        return self

    def given(self) -> Presence:
        """The same for an operation."""
        answer = self.answer.plain() if self.answer else None
        return Presence(code=self.code or "", challenge=self.challenge or "", answer=answer)


class Proving(Body):
    """A deed that takes a proof of presence. Sent without it, the answer is the challenge to prove it with."""

    presence: PresenceBody | None = None

    def given(self) -> Presence:
        """What was given as proof; NOTHING asks for a challenge."""
        return self.presence.given() if self.presence else NOTHING


class ProvedHere(Body):
    """The proof, in a browser, of a deed that was asked for elsewhere."""

    code: Code | None = Field(default=None, repr=False)
    answer: PasskeyAnswer | None = None

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if (self.code is None) == (self.answer is None):
            raise PydanticCustomError("one_proof", "either a code or an answer")
        return self

    def given(self) -> Presence:
        """The same for an operation."""
        return Presence(code=self.code or "", answer=self.answer.plain() if self.answer else None)


class PasskeyAsked(View):
    """A challenge for a passkey, and the options with which a browser asks for it (WebAuthn L3, 5.1.9 and 5.1.10)."""

    challenge: str
    passkey: dict[str, JsonValue]


# -- signing in, and one's own account --------------------------------------------------------------------------------


class SignIn(Body):
    """Who wants to sign in, and the two proofs. A recovery code stands where the code does."""

    mail: Text
    password: HiddenText
    code: HiddenText


class PasskeySignIn(Body):
    """A passkey's answer to the challenge that was asked for to sign in."""

    challenge: ChallengeRef
    answer: PasskeyAnswer


class SignedInAnswer(View):
    """The one answer that holds a session's token."""

    token: str = Field(repr=False)
    session: SessionView


class Agreed(Body):
    """Which version of the confidentiality agreement was read and accepted."""

    version: int = Field(ge=1, le=1_000_000)


class NewPassword(Proving):
    """A password for oneself."""

    password: HiddenText


class Confirmed(Body):
    """The first code of a new authenticator: it shows that the seed has arrived."""

    code: HiddenText


class NewPasskey(Body):
    """A passkey just made, and what its owner calls it."""

    challenge: ChallengeRef
    answer: PasskeyAnswer
    name: Text


class OfferedUri(View):
    """An authenticator's key URI, shown this once."""

    uri: str = Field(repr=False)


class RecoveryCodes(View):
    """Recovery codes, shown this once; each works once."""

    codes: tuple[str, ...] = Field(repr=False)


# -- joining ----------------------------------------------------------------------------------------------------------


class InvitationCode(Body):
    """The code of an invitation."""

    code: HiddenText


class EnrolmentBegun(View):
    """The enrolment, and the token by which whoever opened it is known until it is done."""

    token: str = Field(repr=False)
    enrolment: EnrolmentView


class FirstPassword(Body):
    """The password that somebody who joins has chosen."""

    password: HiddenText


# -- the staff --------------------------------------------------------------------------------------------------------


class NewStaff(Proving):
    """Somebody to be invited, once a second person has agreed."""

    name: Text
    mail: Text
    roles: RoleNames


class NewRoles(Proving):
    """The roles that somebody is to have, all of them."""

    roles: RoleNames


class NewMail(Proving):
    """The mail address that somebody is to have."""

    mail: Text


class DroppedRole(Body):
    """A role to be taken away."""

    role: KindName


# -- services, tickets, leases ----------------------------------------------------------------------------------------


class NewCustomer(Body):
    """A customer to be added."""

    name: Text
    mail: Text
    language: KindName = "en"


class NewService(Body):
    """A service to be registered. `ends_at` carries its zone."""

    customer: CustomerRef
    type: Text
    title: Text
    ends_at: Later


class EndService(Proving):
    """The service's own title, typed again: the deed cannot be undone."""

    confirm: Text


class AskFor(Body):
    """What to ask a customer for; without `kinds`, what the service type needs."""

    kinds: Annotated[list[KindName], Field(min_length=1, max_length=20)] | None = None
    deliver: Deliver
    pin: bool = False


class Reissue(Body):
    """How the fresh intake code goes out; a request that has a PIN gets a new one in any case."""

    deliver: Deliver
    pin: bool = False


class NewTicket(Body):
    """A ticket to be opened on a service."""

    service: ServiceRef
    number: Text
    title: Text


class Assignee(Body):
    """Whom it concerns, and until when; without `until` as long as the ticket is open."""

    person: PersonRef
    until: Later | None = None
