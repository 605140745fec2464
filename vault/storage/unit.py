"""A unit: one operation's place in the writer's transaction, with its time, its actor and the entry it leaves."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from sqlalchemy import Connection, Executable, insert, update
from sqlalchemy.engine import CursorResult

from vault.crypto.envelope import Context
from vault.errors import NotFound
from vault.ledger.disclosure import Disclosure
from vault.model.kinds import KINDS
from vault.model.rows import Row
from vault.model.tables import Outbox
from vault.settings import Settings
from vault.storage.heads import Heads
from vault.storage.keys import Keys, Opening
from vault.storage.reading import Reading
from vault.storage.rows import digest, row_id, values_of
from vault.values import Actor, Moment

GIVEN = {name: frozenset(field.name for field in kind.fields) for name, kind in KINDS.items()}
MADE = {name: frozenset(field.name for field in kind.made) for name, kind in KINDS.items()}
_ID = r"[a-z]{3}_[0-9a-hjkmnp-tv-z]{20}"
_IDS = re.compile(rf"{_ID}(?: {_ID}){{0,19}}", re.ASCII)
P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


@dataclass
class Draft:
    """An entry in the making: what the ledger will say of one operation."""

    type: str
    actor: Actor
    outcome: str = "ok"
    ids: dict[str, str] = field(default_factory=dict)
    rows: dict[str, bytes] = field(default_factory=dict)
    disclosed: list[tuple[str, Disclosure]] = field(default_factory=list)


class Unit(Reading):
    """What an operation works with. It has no commit: the writer commits, for all operations of a batch at once."""

    def __init__(
        self,
        connection: Connection,
        now: Moment,
        keys: Keys | None,
        draft: Draft,
        heads: Heads,
        settings: Settings,
        deployment: str,
    ) -> None:
        """Work for one draft; `heads` knows the rows that this batch has changed before."""
        super().__init__(connection, now, keys, settings, deployment)
        self.draft = draft
        self._heads = heads
        self._generation = 0

    def newest_digest(self, row_id: str) -> bytes | None:
        """The digest of that row in its newest entry, those of this very batch included."""
        return self.draft.rows.get(row_id) or self._heads.newest(self.connection, row_id, self._keys)

    def about(self, **ids: str) -> None:
        """Name what the entry is about by opaque ids. A refusal's entry keeps them.

        What is not shaped like ids, twenty at most, is kept as "?": what somebody typed into an address never reaches
        the ledger, and no entry grows beyond what can be recorded.
        """
        for name, value in ids.items():
            self.draft.ids[name] = value if _IDS.fullmatch(value) else "?"

    def say(self, **words: str) -> None:
        """Add closed words of the program's own to the entry: a field's name, a version, a role."""
        self.draft.ids.update(words)

    def disclose(self, subject_id: str, **facts: str) -> None:
        """Put personal or free text into the entry as salted disclosures under that person's own key.

        While the vault is sealed there is no key to encrypt under, so nothing of it is kept.
        """
        if not self.is_sealed:
            self.draft.disclosed += [
                (subject_id, Disclosure.of(name, value)) for name, value in facts.items()
            ]

    def insert(self, row: Row) -> None:
        """Add a row; a guarded one is named in the entry."""
        self.connection.execute(
            insert(row.table()).values(**{c.key: getattr(row, c.key) for c in row.table().columns})
        )
        self._note(row)

    def change(self, row: Row, **values: object) -> None:
        """Change columns of a row that was found before; a guarded one is named in the entry."""
        table = row.table()
        self.connection.execute(update(table).where(table.c.id == row.id).values(**values))  # type: ignore[attr-defined]
        for name, value in values.items():
            setattr(row, name, value)
        self._note(row)

    def _note(self, row: Row) -> None:
        if row.guarded:
            self.draft.rows[row_id(row)] = digest(row.table().name, values_of(row))

    def execute(self, statement: Executable, **values: object) -> int:
        """Change housekeeping rows, which no entry names. Returns how many were changed."""
        return cast("CursorResult[Any]", self.connection.execute(statement, values)).rowcount

    def keyring_is_at(self, generation: int) -> None:
        """Remember that this change relies on a keyring of at least that generation."""
        self._generation = max(self._generation, generation)

    @property
    def keyring_generation(self) -> int:
        """The keyring generation that this change relies on; 0 when it relies on none."""
        return self._generation

    def notify(self, template: str, subject_id: str, to: str = "", at: int | None = None) -> None:
        """Leave word for the outbox in this transaction; it is told after the commit, or not before `at`.

        At least once, and in order for whoever `to` is: the customer or person whose mailbox it goes to, where that is
        not the subject itself.
        """
        table = Outbox.table()
        self.execute(
            insert(table).values(
                template=template,
                subject_id=subject_id,
                to_id=to or subject_id,
                created_at=self.now,
                state="waiting",
                tries=0,
                next_at=self.now if at is None else at,
            )
        )

    def opening(self, secret: Mapping[str, Any], name: str) -> Opening:
        """The right to open one field of a secret's row, or all that was given (""), once this entry is committed.

        What the envelope belongs to is computed from the row, so that no caller can name another. Raises NotFound for
        a field that its kind does not have.
        """
        kind = str(secret["kind"])
        made = name in MADE[kind]
        if name and not made and name not in GIVEN[kind]:
            raise NotFound("there is no such field")
        context = Context(
            self.deployment,
            secret["service_id"],
            secret["key_id"],
            secret["id"],
            int(secret["version"]),
            made_of(kind) if made else kind,
        )
        return Opening(context, bytes(secret["made" if made else "envelope"]), name)


def made_of(kind: str) -> str:
    """What stands for the kind in the context of what the core made: it never passes for what was given, nor back."""
    return f"{kind}/made"


class Operation(Protocol[P, T_co]):
    """A change: a function from a unit and an actor to a result, and how the ledger calls it."""

    entry_type: str
    recorded: bool
    in_any_time: bool

    def __call__(self, unit: Unit, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> T_co:
        """Do it."""
        ...


def operation(
    entry_type: str, *, recorded: bool = True, in_any_time: bool = False
) -> Callable[[Callable[Concatenate[Unit, Actor, P], T]], Operation[P, T]]:
    """Declare a change. `recorded=False` is for the closed list of housekeeping that leaves no entry.

    `in_any_time` lets what only takes rights away (sign-out, revocation) go on while the host's clock is in doubt.
    """

    def declare(function: Callable[Concatenate[Unit, Actor, P], T]) -> Operation[P, T]:
        declared = cast("Operation[P, T]", function)
        declared.entry_type = entry_type
        declared.recorded = recorded
        declared.in_any_time = in_any_time
        return declared

    return declare
