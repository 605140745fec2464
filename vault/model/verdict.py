"""What a reader says of something that was typed or pasted, at once and in words."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Verdict:
    """Good, worth a question, or wrong; only what is wrong is refused. It never repeats what it was given."""

    kind: Literal["good", "question", "wrong"]
    sentence: str
    type: str = ""
    """What it is, in two words: `Ed25519`, `RSA 3072`."""
    fingerprint: str = ""
    """Of a key: SHA256 of its public half, as `ssh-keygen -l` prints it; empty where that half is not to be seen."""
    encrypted: bool = False
    """Whether a passphrase is needed to use it."""
