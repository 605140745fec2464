"""Every way in which the vault says no. One class per broken promise; each edge maps classes to its own codes.

VaultError
├── Invalid             what was submitted is not well formed
├── NotSignedIn         nobody is signed in, or the session has ended
├── Denied              policy says no to this person, here, now
│   ├── NotAgreed       policy would say yes after the confidentiality agreement is accepted
│   ├── Resting         policy would say yes after the account's cooling-off day
│   ├── PinNeeded       the form opens with the PIN that is told by telephone
│   └── StaleProof      policy would say yes after a fresh proof of presence
│       └── ProofNeeded     and here is what to prove it with
├── NotFound            there is no such thing, or not for this asker: the two look alike
├── Conflict            it contradicts what already is
├── Ended               it was there and is over: a lease, a code, a service
├── TooMany             asked too often
└── Unavailable         the vault cannot do it now; nothing was changed and nothing was shown
    ├── Sealed          the root key is not in memory
    ├── Busy            the queue is full
    ├── NotRecorded     the record could not be made durable
    ├── ClockInDoubt    the host's clock jumped; an operator must confirm it
    └── Tampered        what is stored is not what was stored
"""

from typing import Any, ClassVar, Self


class VaultError(Exception):
    """The vault refuses. The message is a sentence for people; `hint` says what to do next; neither echoes input."""

    hint: ClassVar[str] = ""

    @property
    def sentence(self) -> str:
        """The message as it was given: where it is a vault.sentences.Sentence, it can be said in another language."""
        return self.args[0] if self.args else ""

    def hinting(self, hint: str) -> Self:
        """This refusal with what helps in this very case; empty where nothing does."""
        vars(self)["hint"] = hint
        return self


class Invalid(VaultError):
    """What was submitted is not well formed. `pointer` is the JSON pointer (RFC 6901) of the field at fault."""

    hint = "Correct the field named here and send it again."

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class NotSignedIn(VaultError):
    """Nobody is signed in, or the session has ended."""

    hint = "Sign in and repeat the action."


class Denied(VaultError):
    """Policy says no to this person, here, now."""


class NotAgreed(Denied):
    """The confidentiality agreement in force is not accepted yet."""

    hint = "Read and accept it first: on the page “Agreement”, or with: valetkey agree"


class Resting(Denied):
    """The account was changed less than a day ago."""

    hint = (
        "The day protects customers if somebody else has taken over the account. Ask a colleague meanwhile."
    )


class PinNeeded(Denied):
    """This request has a PIN, and it was not given or is not that one."""

    hint = "Give the six digits that you were told by telephone; whoever asked you can tell them again."


class StaleProof(Denied):
    """Policy would say yes after a fresh proof of presence."""

    hint = "Give a new code for this very action and repeat it."


class ProofNeeded(StaleProof):
    """The deed needs a proof of presence. `challenge` is what a passkey signs for it, as JSON-able facts."""

    hint = "Prove that it is you, for this very action: with your passkey or a new code."

    def __init__(self, message: str, challenge: dict[str, Any]) -> None:
        super().__init__(message)
        self.challenge = challenge


class NotFound(VaultError):
    """There is no such thing, or not for this asker."""


class Conflict(VaultError):
    """It contradicts what already is."""


class Ended(VaultError):
    """It was there and is over."""


class TooMany(VaultError):
    """Asked too often."""

    hint = "Wait some minutes and try again."


class Unavailable(VaultError):
    """The vault cannot do it now; nothing was changed and nothing was shown."""

    hint = "Try again in a moment; if it stays so, tell the operator of this vault."


class Sealed(Unavailable):
    """The root key is not in memory."""

    hint = "An operator unseals the vault on its host with: valetkey unseal"


class Busy(Unavailable):
    """The queue of waiting operations is full."""


class NotRecorded(Unavailable):
    """The record could not be made durable, so nothing happened."""


class ClockInDoubt(Unavailable):
    """The host's clock jumped; nothing opens and nothing ends until an operator confirms it."""

    hint = "An operator checks the host's clock and runs: valetkey clock confirm"


class Tampered(Unavailable):
    """What is stored is not what was stored."""

    hint = "Nothing was opened. Tell the operator of this vault: valetkey doctor names what does not match."
