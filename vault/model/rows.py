"""What every table's class is made of. Times are Moments (microseconds, UTC) in BIGINT; ids are prefixed and opaque.

A class marked `guarded` has a row digest in the ledger: each change of such a row is named by an entry, and a row that
does not match its newest entry is refused when it is used. Its `salt` keeps the digest from being guessed.
"""

import secrets
from typing import Any, ClassVar, cast

from sqlalchemy import BigInteger, Integer, LargeBinary, Table
from sqlmodel import Field, SQLModel

COUNTED = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in its own INTEGER PRIMARY KEY


def a_moment(*, index: bool = False, nullable: bool = False) -> Any:
    """A column of microseconds: SQLModel's own int would overflow on PostgreSQL."""
    return Field(default=None if nullable else 0, sa_type=BigInteger, index=index, nullable=nullable)


def a_salt() -> Any:
    """A column of 16 random bytes."""
    return Field(default_factory=lambda: secrets.token_bytes(16), sa_type=LargeBinary, repr=False)


def a_blob(*, nullable: bool = False) -> Any:
    """A column of bytes that no repr shows."""
    return Field(default=None if nullable else b"", sa_type=LargeBinary, nullable=nullable, repr=False)


class Row(SQLModel):
    """A row that knows its table."""

    guarded: ClassVar[bool] = False

    @classmethod
    def table(cls) -> Table:
        """The SQLAlchemy table behind the class."""
        return cast("Table", cls.__table__)  # type: ignore[attr-defined]  # SQLModel makes it, without saying so
