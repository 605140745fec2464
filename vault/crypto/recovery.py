"""Recovery codes: ten on a sheet of paper, each good once, for the day on which a factor is lost.

They are typed by people and stored slow-hashed like passwords, so that a stolen database gives none away: 60 random
bits behind Argon2id. Each says its number, so that one hash is computed for an attempt and not ten.
"""

import re
from typing import Final

from vault.crypto.tokens import CROCKFORD, pick, typed

CODES: Final = 10
_GROUPS = 3
_GROUP = 4
_LONGEST = 100
"""Characters that are looked at: no way of typing one needs more."""
_CODE = re.compile(rf"([0-9])([{CROCKFORD}]{{{_GROUPS * _GROUP}}})", re.ASCII)


def new_recovery_codes() -> list[str]:
    """Ten fresh codes like `3-7KQM-2F9D-XW1B`: the number 0 to 9, then 60 random bits."""
    return [_spell(str(number), pick(CROCKFORD, _GROUPS * _GROUP)) for number in range(CODES)]


def parse_recovery_code(raw: str) -> tuple[int, str] | None:
    """The code's number and its one spelling, which is what is hashed; None for what is no recovery code.

    Any case, any spaces and dashes, O for 0, I or L for 1. The spelling is one that `passwords` takes for a password.
    """
    found = _CODE.fullmatch(typed(raw)) if len(raw) <= _LONGEST else None
    if found is None:
        return None
    return int(found[1]), _spell(found[1], found[2])


def _spell(number: str, body: str) -> str:
    return "-".join([number, *(body[at : at + _GROUP] for at in range(0, len(body), _GROUP))])
