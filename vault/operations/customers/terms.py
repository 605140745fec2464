"""The business's terms for its customers: in versions, each in force thirty days after it was posted, never earlier."""

import hashlib
from collections.abc import Iterator
from itertools import takewhile

from sqlalchemy import func, select

from vault.errors import Conflict, Denied, NotFound, Sealed, Tampered
from vault.model.tables import Terms
from vault.model.terms import AllTermsView, State, TermsView, difference, parse
from vault.operations.vault import Vault
from vault.sentences import Sentence
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import DAY, Actor, Moment, to_datetime

NOTICE = 30 * DAY
"""From the posting to the day on which a version holds, in microseconds. The first version has no shortcut."""

_NEWEST = select(func.coalesce(func.max(Terms.table().c.id), 0))
TERMS_GONE = Sentence("the terms are not where the ledger says that they are")


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
    for version in range(_newest(reading), 0, -1):
        yield _posted(reading, version)


def _newest(reading: Reading) -> int:
    """The number of the newest version. Raises Tampered where the ledger knows a later one.

    One that is posted between the two looks is there at the next, and is no fault.
    """
    newest = int(reading.connection.execute(_NEWEST).scalar_one())
    while reading.newest_digest(f"terms:{newest + 1}") is not None:
        seen, newest = newest, int(reading.connection.execute(_NEWEST).scalar_one())
        if newest == seen:
            raise Tampered(TERMS_GONE)
    return newest


# -- posting ---------------------------------------------------------------------------------------------------------


async def draft(vault: Vault, actor: Actor, raw: str) -> TermsView:
    """The next version as it would be, were it posted now, with what it changes. Nothing is posted.

    Raises Denied for anybody but the host's operator, Invalid, and Conflict for the words of the newest version.
    """
    return await vault.read_aside(_drafted, actor, parse(raw))


def _drafted(reading: Reading, actor: Actor, text: str) -> TermsView:
    return _view(_next(reading, actor, text), _former(reading), "announced")


async def publish(vault: Vault, actor: Actor, raw: str, after: int) -> TermsView:
    """Post the next version; it is in force thirty days later. There is no way to post one that holds sooner.

    `after` is the version that the operator has compared it with; 0 for none. Raises as `draft` does, Conflict too when
    another version was posted meanwhile, Sealed, and ClockInDoubt while nobody knows from when thirty days would count.
    """
    version = await vault.perform(_published, actor, parse(raw), after)
    return await vault.read_aside(one, actor, version)


@operation("terms.publish")
def _published(unit: Unit, actor: Actor, text: str, after: int) -> int:
    posted = _next(unit, actor, text)
    if unit.is_sealed:
        raise Sealed("terms are posted while the vault is unsealed, so that it can vouch for them")
    if posted.id != after + 1:
        raise Conflict("another version was posted meanwhile; compare with that one")
    unit.insert(posted)
    unit.say(version=str(posted.id), digest=_digest(text))
    return posted.id


def _next(reading: Reading, actor: Actor, text: str) -> Terms:
    if actor.kind != "host":
        raise Denied("terms are posted on the vault's host")
    newest = _former(reading)
    if newest is not None and newest.text == text:
        raise Conflict("these are the words of the newest version already")
    return Terms(
        id=newest.id + 1 if newest else 1,
        text=text,
        posted_at=reading.now,
        effective_at=Moment(reading.now + NOTICE),
    )


# -- reading ---------------------------------------------------------------------------------------------------------


def everything(reading: Reading, _actor: Actor) -> AllTermsView:
    """What holds and what is announced, each with what it changes: for whoever asks. Raises Tampered."""
    now = in_force(reading)
    return AllTermsView(
        in_force=_seen(reading, now) if now else None,
        announced=tuple(_seen(reading, coming) for coming in announced(reading)),
    )


def one(reading: Reading, _actor: Actor, version: int) -> TermsView:
    """One version, also one that holds no more: customers have accepted it. Raises NotFound, Tampered."""
    newest = _former(reading)
    if newest is None or not 0 < version <= newest.id:
        raise NotFound(Sentence("there is no such version of the terms"))
    return _seen(reading, _posted(reading, version))


def _seen(reading: Reading, terms: Terms) -> TermsView:
    now = in_force(reading)
    former = _posted(reading, terms.id - 1) if terms.id > 1 else None
    if now is None or now.id < terms.id:
        return _view(terms, former, "announced")
    return _view(terms, former, "in force" if now.id == terms.id else "former")


def _view(terms: Terms, former: Terms | None, state: State) -> TermsView:
    return TermsView(
        version=terms.id,
        text=terms.text,
        digest=_digest(terms.text),
        posted_at=to_datetime(terms.posted_at),
        effective_at=to_datetime(terms.effective_at),
        state=state,
        changes=difference(former.text, terms.text) if former else (),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _former(reading: Reading) -> Terms | None:
    return next(_newest_first(reading), None)


def _posted(reading: Reading, version: int) -> Terms:
    terms = reading.find(Terms, id=version)
    if terms is None:
        raise Tampered(TERMS_GONE)
    return terms
