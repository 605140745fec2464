"""The business's terms for its customers: in versions, each in force thirty days after it was posted, never earlier."""

from collections.abc import Iterator
from itertools import takewhile

from sqlalchemy import func, select

from vault.errors import Tampered
from vault.model.tables import Terms
from vault.storage.reading import Reading
from vault.values import DAY

NOTICE = 30 * DAY
"""From the posting to the day on which a version holds, in microseconds. The first version has no shortcut."""

_NEWEST = select(func.coalesce(func.max(Terms.table().c.id), 0))
TERMS_GONE = "the terms are not where the ledger says that they are"


def in_force(reading: Reading) -> Terms | None:
    """The version that holds now; None while none has taken effect.

    It is judged by the time of the ledger, which stands still while the host's clock is in doubt. Raises Tampered for a
    version that was hidden, changed or rolled back, without which another one would hold.
    """
    return next((terms for terms in _newest_first(reading) if _holds(reading, terms)), None)


def announced(reading: Reading) -> list[Terms]:
    """The versions that are posted and do not hold yet, the next one first. Raises Tampered."""
    return [*takewhile(lambda terms: not _holds(reading, terms), _newest_first(reading))][::-1]


def shown_for(reading: Reading) -> Terms | None:
    """What a customer accepts at a hand-over: the terms in force, else the earliest announced; None without any.

    Raises Tampered, as `in_force` does.
    """
    earliest = None
    for terms in _newest_first(reading):
        earliest = terms
        if _holds(reading, terms):
            break
    return earliest


def _holds(reading: Reading, terms: Terms) -> bool:
    return max(terms.effective_at, terms.posted_at + NOTICE) <= reading.now


def _newest_first(reading: Reading) -> Iterator[Terms]:
    """Every version from the newest on, each found by its number and checked against the ledger.

    No column is asked for what it says before the row is checked: a changed day would else leave a version out unseen.
    """
    newest = int(reading.connection.execute(_NEWEST).scalar_one())
    if reading.newest_digest(f"terms:{newest + 1}") is not None:
        raise Tampered(TERMS_GONE)
    for version in range(newest, 0, -1):
        terms = reading.find(Terms, id=version)
        if terms is None:
            raise Tampered(TERMS_GONE)
        yield terms
