"""One-time codes made of a seed that a customer gave: the code is handed out, the seed never."""

from dataclasses import dataclass

from vault.crypto.factors import timed_code
from vault.errors import Invalid, Tampered
from vault.model.otpauth import parse_otpauth
from vault.values import SECOND, Moment, Plaintext


@dataclass(frozen=True)
class OneTimeCode:
    """A code that counts until `until`, when the next one begins; each lasts `period` seconds."""

    code: Plaintext
    period: int
    until: Moment


def one_time_code(text: Plaintext, now: Moment) -> OneTimeCode:
    """The code of that moment (RFC 6238) for the text of a QR code, or the key beside it.

    Raises Tampered for what no code can be made of: it passed the core's check once.
    """
    try:
        found = parse_otpauth(text.expose())
    except Invalid:
        raise Tampered("what is stored makes no codes") from None
    step = now // (found.period * SECOND)
    code = timed_code(found.seed, found.algorithm, found.digits, step)
    return OneTimeCode(Plaintext(code), found.period, Moment((step + 1) * found.period * SECOND))
