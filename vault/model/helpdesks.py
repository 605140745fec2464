"""The tables of helpdesks: who may tell us of tickets, what they have told, and what of ours that has become.

What was told last decides what a later message can do, so these rows are guarded: whoever only writes to the database
puts nobody on a ticket by a word that no helpdesk said.
"""

from typing import ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from vault.model.rows import Row, a_blob, a_moment, a_salt


class Helpdesk(Row, table=True):
    """A helpdesk of the business, which signs what it tells."""

    __tablename__ = "helpdesk"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    name: str
    kind: str
    """Of vault.helpdesk.adapter.ADAPTERS."""
    sealed: bytes = a_blob()
    """Its signing secret, wrapped under the root key and bound to this row; gone once it has ended."""
    former: bytes = a_blob()
    """The one before, which is good until `former_until`: a change loses no message."""
    former_until: int = a_moment()
    state: str = "active"
    created_at: int = a_moment()
    salt: bytes = a_salt()


class Mirrored(Row, table=True):
    """A service or ticket of a helpdesk, by the name it has there, and the one of ours that it is."""

    __tablename__ = "mirrored"
    __table_args__ = (UniqueConstraint("helpdesk_id", "thing", "reference"),)
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    helpdesk_id: str = Field(foreign_key="helpdesk.id")
    thing: str
    """`service` or `ticket`."""
    reference: str
    ours_id: str = Field(default="", index=True)
    """Ours; none where it was closed there, also where we heard of that first."""
    opened_at: int = a_moment()
    """When it was opened or registered there last, by the helpdesk's own time; 0 before we hear of it."""
    closed_at: int = a_moment()
    """When it was closed or ended there last; 0 before we hear of it."""
    salt: bytes = a_salt()


class MirroredPerson(Row, table=True):
    """Somebody whom a helpdesk has named on a ticket, by their address there, whether we know them or not."""

    __tablename__ = "mirrored_person"
    __table_args__ = (UniqueConstraint("mirrored_id", "mail"),)
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    mirrored_id: str = Field(foreign_key="mirrored.id")
    mail: str
    put_by: str = ""
    """The address of who put them on it, as far as the helpdesk says."""
    until: int | None = a_moment(nullable=True)
    on_at: int = a_moment()
    off_at: int = a_moment()
    salt: bytes = a_salt()


class HelpdeskEvent(Row, table=True):
    """A message that was taken, kept for as long as it could come again: what it says is not."""

    __tablename__ = "helpdesk_event"
    id: str = Field(primary_key=True)
    """A hash of the helpdesk and of the id that the message has there."""
    digest: str
    """SHA-256 of the body."""
    at: int = a_moment(index=True)
