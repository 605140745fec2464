"""Reading: an open connection, its time, and rows that are what the ledger says they are."""

from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, Select, bindparam, select
from sqlalchemy import Row as SQLRow

from vault.errors import Sealed, Tampered
from vault.model.rows import Row
from vault.sentences import Sentence
from vault.settings import Settings
from vault.storage.heads import stored_digest
from vault.storage.keys import Keys
from vault.storage.rows import digest
from vault.values import Moment

R = TypeVar("R", bound=Row)
LOOKS = 3
"""How often a row is read before it is believed not to match."""


@cache
def _by(model: type[Row], names: tuple[str, ...]) -> Select[Any]:
    table = model.table()
    query = select(table)
    for name in names:
        query = query.where(table.c[name] == bindparam(name))
    return query


class Reading:
    """What a read sees. It changes nothing and never waits for the writer."""

    def __init__(
        self, connection: Connection, now: Moment, keys: Keys | None, settings: Settings, deployment: str
    ) -> None:
        """Read over an open connection as of `now`; `keys` is None while the vault is sealed."""
        self.connection = connection
        self.settings = settings
        self.deployment = deployment
        self.now = now
        self._keys = keys

    @property
    def keys(self) -> Keys:
        """The keys. Raises Sealed while there are none."""
        if self._keys is None:
            raise Sealed(Sentence("the vault is sealed"))
        return self._keys

    @property
    def is_sealed(self) -> bool:
        """Whether the root key is not in memory."""
        return self._keys is None

    def newest_digest(self, row_id: str) -> bytes | None:
        """The digest of that row in its newest entry."""
        return stored_digest(self.connection, row_id, self._keys)

    def trust(self, table: str, row_id: str, values: tuple[object, ...]) -> None:
        """Raise Tampered unless the row is the one that its newest ledger entry names."""
        if self.newest_digest(f"{table}:{row_id}") != digest(table, values):
            raise Tampered(Sentence("a row does not match its newest entry in the ledger; it is not used"))

    def find(self, model: type[R], **where: object) -> R | None:
        """The one row with those column values, or None; a guarded one is trusted only if it matches the ledger."""
        query = _by(model, tuple(sorted(where)))
        row = next(iter(self._trusted(model, query, where)), None)
        return None if row is None else model(**row._mapping)  # noqa: SLF001 (SQLAlchemy's public name for it)

    def find_all(self, model: type[R], **where: object) -> list[R]:
        """All rows with those column values, in the order of their ids; each guarded one is checked as in `find`."""
        query = _by(model, tuple(sorted(where))).order_by(model.table().c.id)
        return [model(**row._mapping) for row in self._trusted(model, query, where)]  # noqa: SLF001

    def _trusted(self, model: type[R], query: Select[Any], where: dict[str, object]) -> list[SQLRow[Any]]:
        """The rows of a query, each guarded one checked.

        A reader takes a row and then its head, and the writer may have committed a change of both in between: what
        does not match is looked at anew before it is called tampered with.
        """
        name = model.table().name
        for more in reversed(range(LOOKS)):
            rows = list(self.connection.execute(query, where).all())
            try:
                if model.guarded:
                    for row in rows:
                        self.trust(name, row._mapping["id"], tuple(row))  # noqa: SLF001
            except Tampered:
                if not more:
                    raise
                continue
            return rows
        return []

    def find_all_unchecked(self, model: type[R], **where: object) -> list[R]:
        """As `find_all`, whatever the ledger says: for a destruction, which does not stop at a row that was bent."""
        query = _by(model, tuple(sorted(where))).order_by(model.table().c.id)
        return [model(**row._mapping) for row in self.connection.execute(query, where)]  # noqa: SLF001

    def rows(self, statement: Select[Any], **values: object) -> list[RowMapping]:
        """The rows of a prepared query, for lists; nothing of it is trusted for a decision."""
        return list(self.connection.execute(statement, values).mappings())
