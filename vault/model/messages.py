"""The closed set of messages between the intake, which cannot read what customers give, and the core.

An intake that runs as a process of its own speaks these over a Unix socket, one JSON object a line; the embedded one
hands them over in process. Nothing else passes that door.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from vault.errors import Invalid, VaultError
from vault.sentences import Sentence


class Message(BaseModel):
    """Strict and frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


SealedBy = Literal["browser", "intake", "client"]
"""Who sealed a secret: the customer's browser, the intake for a browser without JavaScript, or the command line."""


class Begin(Message):
    """Exchange an intake code for a form, and bind its request to the first browser that does so."""

    do: Literal["begin"] = "begin"
    code: str = Field(max_length=100, repr=False)
    browser: str = Field(max_length=100, repr=False)
    """The token that this browser holds already, else a fresh one of the intake's making: the customer's cookie."""
    pin: str = Field(default="", max_length=20, repr=False)
    """What was told by telephone, where the request has a PIN."""
    source: str = Field(default="", max_length=64, repr=False)
    """The network address that the intake saw: attempts are counted by it."""


class Look(Message):
    """The form as it stands for a browser that has begun."""

    do: Literal["look"] = "look"
    browser: str = Field(max_length=100, repr=False)


class Give(Message):
    """Hand over one secret, sealed. Giving the identical envelope again changes nothing and answers the same."""

    do: Literal["give"] = "give"
    browser: str = Field(max_length=100, repr=False)
    secret: str = Field(max_length=40)
    version: int = Field(ge=1, le=1_000_000)
    envelope: str = Field(max_length=2_900_000, repr=False)
    """The envelope in URL-safe base64 without padding."""
    sealed_by: SealedBy
    kind: str = Field(default="", max_length=40)
    """Which of the offered kinds was given; empty for the one that was asked for."""
    sure: bool = False
    """The customer was asked about what looks misplaced here, and says that it belongs."""


class Accept(Message):
    """The customer accepts the terms as they were shown."""

    do: Literal["accept"] = "accept"
    browser: str = Field(max_length=100, repr=False)
    version: int = Field(ge=1, le=1_000_000)


class Speak(Message):
    """The customer wants to be spoken to in another language, here and in everything that we write to them."""

    do: Literal["speak"] = "speak"
    browser: str = Field(max_length=100, repr=False)
    language: str = Field(max_length=10)


class Again(Message):
    """The customer wants to give one secret anew before the form is finished."""

    do: Literal["again"] = "again"
    browser: str = Field(max_length=100, repr=False)
    secret: str = Field(max_length=40)


class Done(Message):
    """The customer says that nothing more is coming."""

    do: Literal["done"] = "done"
    browser: str = Field(max_length=100, repr=False)


Question = Begin | Look | Accept | Speak | Give | Again | Done
ASKED: TypeAdapter[Question] = TypeAdapter(Annotated[Question, Field(discriminator="do")])


class FormItem(Message):
    """One secret that is asked for."""

    secret: str
    version: int
    kind: str
    """What is asked for."""
    because: str
    """Why it is needed, in words for the customer."""
    required: bool
    given: bool
    given_at: datetime | None
    given_kind: str = ""
    """What was given in its place or as asked; empty before."""
    reference: str = ""
    """The reference of the receipt, once it was given."""
    refused: bool = False
    """It was given before, did not pass the vault's check and is asked for again."""
    instead: str = ""
    """The kind that may be given instead, with nothing secret to type; empty where there is none."""
    line: str = ""
    """For `instead`: the one line that the customer adds on the server."""


class TermsShown(Message):
    """The terms that are accepted at a hand-over, and from when they hold."""

    version: int
    text: str
    effective_at: datetime
    accepted: bool


class Form(Message):
    """All that a customer needs to see to hand over: who asks, for what, why, who will see it, until when."""

    answer: Literal["form"] = "form"
    state: Literal["started", "done"]
    business: str
    customer_name: str
    language: str = "en"
    """The one of vault.languages.LANGUAGES that the customer is spoken to in."""
    service: str
    service_title: str
    deployment: str
    asked_by: str
    """The name of the coordinator who asked."""
    who_may_see: str
    """A sentence."""
    service_ends_at: datetime
    code_expires_at: datetime
    statement: str
    """The service's public keys: canonical JSON text, signed by the key-statement key."""
    statement_signature: str
    """Ed25519 over that text, URL-safe base64 without padding."""
    terms: TermsShown | None = None
    items: tuple[FormItem, ...]


class Receipt(Message):
    """What the customer is told after giving one secret."""

    answer: Literal["receipt"] = "receipt"
    reference: str
    secret: str
    version: int
    given_at: datetime


class Refused(Message):
    """The core says no. `error` names a class of vault.errors."""

    answer: Literal["refused"] = "refused"
    error: str
    message: str
    hint: str = ""
    pointer: str = ""
    template: str = ""
    """What the message was made of, with `values`, where it can be said in another language with them."""
    values: dict[str, str | int] = Field(default_factory=dict)

    @classmethod
    def of(cls, error: VaultError) -> "Refused":
        """What passes the door of a refusal."""
        pointer = error.pointer if isinstance(error, Invalid) else ""
        refused = cls(error=type(error).__name__, message=str(error), hint=error.hint, pointer=pointer)
        if not isinstance(error.sentence, Sentence):
            return refused
        values = {  # a sentence within it that has values of its own stays English: only one depth of them passes
            name: value.template
            if isinstance(value, Sentence) and not value.values
            else value
            if type(value) is int
            else str(value)
            for name, value in error.sentence.values.items()
        }
        return refused.model_copy(update={"template": error.sentence.template, "values": values})

    @property
    def sentence(self) -> str:
        """The message, as it can be said in another language: text among its values may be a sentence too."""
        if not self.template:
            return self.message
        values = {
            name: Sentence(value) if isinstance(value, str) else value for name, value in self.values.items()
        }
        return Sentence.known(self.message, self.template, values)


Answered = Annotated[Form | Receipt | Refused, Field(discriminator="answer")]
ANSWERED: TypeAdapter[Form | Receipt | Refused] = TypeAdapter(Answered)
