"""Searching for what has a name: customers, services, tickets and people, as far as whoever asks may see them.

Nothing else is looked through: no secret, no field, no reason, no host, and not the ledger.
"""

import re
import unicodedata
from typing import Any

from sqlalchemy import RowMapping, Select, and_, bindparam, or_, select

from vault.errors import Denied
from vault.model.board_views import FoundList, FoundView, SearchView
from vault.model.people import Person
from vault.model.tables import Assignment, Customer, Service, Ticket
from vault.operations.asking import IS_ON, may, roles_of
from vault.operations.services.board import TICKETS
from vault.storage.reading import Reading
from vault.values import Actor, clean_text

MOST = 20
"""What is shown of one kind; then it says that there may be more."""
MOST_READ = 2_000
"""Rows of one kind that the database may hand over for judging: a term that says too little stops here."""
SHORTEST, LONGEST = 2, 100
"""Characters of a term without its spaces; one letter is in everything."""
_OTHERWISE = re.compile(r"(?:[^\x00-\x7f]|ss|i)+")
_MEANT = re.compile(r"([%_/])", re.ASCII)
_C, _S, _T, _P, _A = (one.table() for one in (Customer, Service, Ticket, Person, Assignment))

_CUSTOMERS = select(_C.c.id, _C.c.name.label("title"), _C.c.mail.label("said")).order_by(_C.c.name, _C.c.id)
_SERVICES = (
    select(_S.c.id, _S.c.title, _C.c.name.label("said"), _S.c.state)
    .join_from(_S, _C, _C.c.id == _S.c.customer_id)
    .order_by(_S.c.state != "open", _S.c.created_at.desc(), _S.c.id)
)
_TICKETS = TICKETS.order_by(_T.c.state != "open", _T.c.created_at.desc(), _T.c.id)
_MINE = _TICKETS.join(_A, _A.c.ticket_id == _T.c.id).where(
    _A.c.person_id == bindparam("me"),
    IS_ON,
    _T.c.state == "open",
)
"""The tickets that a technician sees: those that they are on."""
_STAFF = select(_P.c.id, _P.c.name.label("title"), _P.c.mail.label("said"), _P.c.state).order_by(
    _P.c.name, _P.c.id
)
_SEARCHED = {
    "customer": ("title", "said"),
    "service": ("title", "said"),
    "ticket": ("number", "title", "service_title", "customer_name"),
    "person": ("title", "said"),
}
_ASSIGNABLE = _STAFF.where(_P.c.state == "active", _P.c.roles.contains("technician"))


def search(reading: Reading, actor: Actor, term: str) -> SearchView:
    """What holds each word of the term in its name, title, number or mail address, up to 20 of each kind.

    Case does not matter, in any language and on any database. Of each kind those are looked through that whoever asks
    may list; a technician finds the tickets that they are on, and nothing of others. A term of fewer than two
    characters finds nothing. Raises NotSignedIn, and Invalid for a term of more than 100 characters.
    """
    person = may(reading, actor, "search.find")
    words = folded(clean_text(term, "what you search for", LONGEST, 0, "/q")).split()
    if len("".join(words)) < SHORTEST:
        return SearchView(lists=())
    values = {"me": actor.id, "at": reading.now}
    lists = []
    if _allowed(reading, actor, "customer.list"):
        lists.append(_found(reading, "customer", _CUSTOMERS, words, values))
    if _allowed(reading, actor, "service.list"):
        lists.append(_found(reading, "service", _SERVICES, words, values))
    if _allowed(reading, actor, "ticket.list"):
        every = "coordinator" in roles_of(person.roles)
        lists.append(_found(reading, "ticket", _TICKETS if every else _MINE, words, values))
    if _allowed(reading, actor, "staff.list"):
        lists.append(_found(reading, "person", _STAFF, words, values))
    elif _allowed(reading, actor, "staff.assignable"):
        lists.append(_found(reading, "person", _ASSIGNABLE, words, values))
    return SearchView(lists=tuple(one for one in lists if one.found))


def _allowed(reading: Reading, actor: Actor, right: str) -> bool:
    try:
        may(reading, actor, right)
    except Denied:
        return False
    return True


def folded(text: str) -> str:
    """The text as it is compared: what differs only in case is the same, ß and ss too (Unicode's full case folding)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def pattern(word: str) -> str:
    """A LIKE pattern, with `/` before what is meant as itself, that finds whatever holds this folded word, and more.

    Databases fold what is beyond ASCII each in their own way, or not at all, and some a dotless i. Therefore such
    letters are left open, and the program judges what came.
    """
    return "%" + "%".join(_MEANT.sub(r"/\1", part) for part in _OTHERWISE.split(word)) + "%"


def _found(
    reading: Reading, kind: str, query: Select[Any], words: list[str], values: dict[str, Any]
) -> FoundList:
    columns = _SEARCHED[kind]
    holds = [
        or_(*(query.selected_columns[name].ilike(pattern(word), escape="/") for name in columns))
        for word in words
    ]
    rows = reading.rows(query.where(and_(*holds)).limit(MOST_READ), **values)
    views = [_view(kind, row) for row in rows if _holds([folded(row[name]) for name in columns], words)]
    return FoundList.model_validate(
        {"kind": kind, "found": tuple(views[:MOST]), "more": len(views) > MOST or len(rows) == MOST_READ}
    )


def _holds(texts: list[str], words: list[str]) -> bool:
    return all(any(word in text for text in texts) for word in words)


def _view(kind: str, row: RowMapping) -> FoundView:
    if kind == "ticket":
        said = f"{row['service_title']}, {row['customer_name']}"
        named = {"title": f"{row['number']}: {row['title']}", "said": said}
    else:
        named = {"title": row["title"], "said": row["said"]}
    return FoundView.model_validate({"kind": kind, "id": row["id"], "state": row.get("state", ""), **named})
