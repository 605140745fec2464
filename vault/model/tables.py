"""The tables of what is kept for customers, and of the ledger; with those from next door, all tables by name."""

from typing import ClassVar

from sqlalchemy import BigInteger, Column, ColumnElement, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

import vault.model.desk
import vault.model.helpdesks
import vault.model.people
import vault.model.visits  # noqa: F401 (so that the tables of all four are among all)
from vault.model.rows import COUNTED, Row, a_blob, a_moment, a_salt


class Customer(Row, table=True):
    """A customer of the business."""

    __tablename__ = "customer"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    name: str
    mail: str
    added_by: str = ""
    """The id of the person who typed their mail address; nobody's where empty."""
    factors: str = ""
    """The ids of their passkeys that count, with a space between."""
    language: str = "en"
    digest: bool = False
    """Whether notices come gathered, once a day."""
    link_hash: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True, nullable=True, repr=False)
    """Of the code in the link to the customer's own page."""
    link_number: int = 1
    """Which link of theirs is good; a new one voids those before it."""
    created_at: int = a_moment()
    salt: bytes = a_salt()


class ServiceType(Row, table=True):
    """An entry of the catalogue, as canonical JSON."""

    __tablename__ = "service_type"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    body: str
    retired: bool = False
    salt: bytes = a_salt()


class Necessity(Row, table=True):
    """Why a service type asks for an extraordinary kind; it counts once a second person approved these very words."""

    __tablename__ = "necessity"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    type: str = Field(index=True)
    kind: str
    digest: str
    """SHA-256 of all that is approved, in hexadecimal."""
    state: str = "waiting"
    approved_by: str = ""
    approved_at: int | None = a_moment(nullable=True)
    created_at: int = a_moment()
    salt: bytes = a_salt()


class Terms(Row, table=True):
    """A version of the terms; each takes effect 30 days after it was posted, never earlier."""

    __tablename__ = "terms"
    guarded: ClassVar[bool] = True
    id: int = Field(primary_key=True)
    text: str
    posted_at: int = a_moment()
    effective_at: int = a_moment()
    salt: bytes = a_salt()


class Agreement(Row, table=True):
    """A version of the confidentiality agreement; the highest is in force."""

    __tablename__ = "agreement"
    guarded: ClassVar[bool] = True
    id: int = Field(primary_key=True)
    text: str
    published_at: int = a_moment()
    salt: bytes = a_salt()


class Service(Row, table=True):
    """One customer's registered service: open, then ended, then destroyed."""

    __tablename__ = "service"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    type: str = Field(foreign_key="service_type.id")
    title: str
    state: str = "open"
    key_id: str
    statement: str
    statement_signature: str
    created_at: int = a_moment()
    paused_at: int | None = a_moment(nullable=True)
    """Since when the customer lets nothing of it open; none while it may."""
    ends_at: int = a_moment(index=True)
    ended_at: int | None = a_moment(nullable=True)
    destroy_at: int | None = a_moment(nullable=True)
    """When its keys go, while an end that came by itself can still be undone; none otherwise."""
    destroyed_at: int | None = a_moment(nullable=True)
    salt: bytes = a_salt()


class Ticket(Row, table=True):
    """A piece of work on a service."""

    __tablename__ = "ticket"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    service_id: str = Field(foreign_key="service.id", index=True)
    number: str
    title: str
    state: str = "open"
    created_at: int = a_moment()
    salt: bytes = a_salt()


class Assignment(Row, table=True):
    """A technician on a ticket. One row a pair: taken off and put on again is the same row."""

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("ticket_id", "person_id"),)
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    ticket_id: str = Field(foreign_key="ticket.id")
    person_id: str = Field(foreign_key="person.id", index=True)
    assigned_by: str
    """Who put them on it; never they themselves."""
    state: str = "active"
    alone: bool = False
    """Whether nobody else is known to have put them on it: then each lease takes a coordinator's yes."""
    created_at: int = a_moment()
    ends_at: int | None = a_moment(nullable=True)
    """Until when it puts them on it; none as long as the ticket is open."""
    salt: bytes = a_salt()


class Request(Row, table=True):
    """What a customer was asked for; its intake code opens the form once, for one browser."""

    __tablename__ = "request"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    service_id: str = Field(foreign_key="service.id", index=True)
    asked_by: str = Field(foreign_key="person.id")
    state: str = "asked"
    deliver: str
    code_hash: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True, nullable=True, repr=False)
    browser_hash: bytes | None = Field(
        default=None, sa_type=LargeBinary, unique=True, nullable=True, repr=False
    )
    pin_hash: str = Field(default="", repr=False)
    """Argon2id of the PIN that is told by telephone; empty where the code alone opens the form."""
    pin_tries: int = 0
    terms_version: int = 0
    """Which version of the terms the customer accepted on this form; 0 before."""
    created_at: int = a_moment()
    expires_at: int = a_moment()
    salt: bytes = a_salt()


class Secret(Row, table=True):
    """One credential. Only its newest version is kept; the version number is part of what its envelope belongs to."""

    __tablename__ = "secret"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    service_id: str = Field(foreign_key="service.id", index=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    kind: str
    """What was given; until then, what is asked for."""
    asked_kind: str
    because: str
    approver: str = ""
    """Whose yes a lease of it took by the catalogue when the customer was asked: a later one makes it no easier."""
    required: bool = True
    version: int = 0
    """Which version the envelope is; 0 while there is none."""
    asked_version: int = 1
    """Which version the customer gives next; allocated before it is sealed."""
    state: str = Field(default="awaited", index=True)
    key_id: str
    suite: str = ""
    sealed_by: str = ""
    envelope: bytes = a_blob()
    made: bytes = a_blob()
    """The fields that the core itself made for this version, sealed: the private half of a key that was added."""
    made_line: str = ""
    """The public half of it, as the customer added it to the server."""
    offer: bytes = a_blob()
    """The same for the version that is asked for now, while the customer may still choose the key."""
    offer_line: str = ""
    given_at: int | None = a_moment(nullable=True)
    opened_version: int = 0
    """The last version that somebody opened in any way; with the first opening of each, its customer is told."""
    shown_version: int = 0
    """The last version of which somebody was shown something; with that, they are told once more."""
    salt: bytes = a_salt()


class Lease(Row, table=True):
    """A technician's right to open named secrets of one ticket, until its end."""

    __tablename__ = "lease"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    ticket_id: str = Field(foreign_key="ticket.id", index=True)
    service_id: str = Field(foreign_key="service.id", index=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    reason: str
    covers: str
    """The ids of the secrets, with a space between."""
    minutes: int
    """For how long it was asked; the type's longest lease and the service's end are looked at again when it begins."""
    begins_at: int | None = a_moment(nullable=True)
    """When the maintenance window is to begin, as it was asked for; none for at once."""
    approver: str = ""
    """Whose yes it takes before it begins: a coordinator's or the customer's; nobody's where empty."""
    approver_why: str = ""
    """What makes it take a yes besides the catalogue: `services a day` or `alone`."""
    decided_by: str = Field(default="", index=True)
    """The id of the person or customer who said yes or no."""
    refusal: str = ""
    """Why a coordinator said no, for whoever asked."""
    review_id: str = ""
    """The review of it, where it began by broken glass instead of a yes."""
    state: str = Field(default="active", index=True)
    ended_how: str = ""
    starts_at: int = a_moment()
    """Since when it opens something, or from when on; since when it was asked for, while it waits for a yes."""
    expires_at: int = a_moment()
    """When it ends by itself; while it waits for a yes, until when that can be given."""
    salt: bytes = a_salt()


class Certificate(Row, table=True):
    """The signed statement that a service's secrets were destroyed."""

    __tablename__ = "certificate"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True, foreign_key="service.id")
    note: str
    created_at: int = a_moment()
    salt: bytes = a_salt()


class RefusalCount(Row, table=True):
    """Refusals of nobody in particular, counted by source and minute so that a flood does not grow the ledger."""

    __tablename__ = "refusal_count"
    source: str = Field(primary_key=True)
    minute: int = Field(primary_key=True, sa_type=BigInteger)
    count: int = 0


class Outbox(Row, table=True):
    """What must be told after a change: a template and ids, never a code, a link or a name."""

    __tablename__ = "outbox"
    id: int | None = Field(default=None, sa_column=Column(COUNTED, primary_key=True, autoincrement=True))
    template: str
    subject_id: str
    to_id: str = Field(default="", index=True)
    """Whose mailbox it is for: what waits for one of them is told in order, and nobody waits for another."""
    created_at: int = a_moment()
    state: str = Field(default="waiting", index=True)
    tries: int = 0
    next_at: int = a_moment()


class LedgerEntry(Row, table=True):
    """An entry of the ledger: `body` is what counts; the other columns only help to find it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ix_ledger_entry_service", "service_id", "seq"),
        Index("ix_ledger_entry_actor", "actor", "seq"),
        Index("ix_ledger_entry_type", "type", "seq"),
    )
    seq: int = Field(sa_column=Column(COUNTED, primary_key=True, autoincrement=False))
    time: int = a_moment()
    type: str
    actor: str
    service_id: str | None = None
    body: str = Field(sa_type=Text)
    leaf: bytes = a_blob()

    @classmethod
    def is_of(cls, *types: str) -> ColumnElement[bool]:
        """That an entry is of one of those types, looked for among what else is asked about it.

        Were the type's own index used, the entries of the whole house were read to find those of one service or one
        person; SQLite would choose that.
        """
        return cls.table().c.type.concat("").in_(types)


class RowHead(Row, table=True):
    """Which entry names a guarded row's newest digest.

    The tag is made under a key that hangs on the root key, so that nobody who can only write to the database makes a
    row head; it is empty from a change in a sealed vault until the unseal that checks it.
    """

    __tablename__ = "row_head"
    row_id: str = Field(primary_key=True)
    seq: int = Field(default=0, sa_type=BigInteger)
    digest: bytes = a_blob()
    tag: bytes = a_blob()


class Disclosed(Row, table=True):
    """A disclosed field of an entry, encrypted under its person's key."""

    __tablename__ = "disclosure"
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    name: str = Field(primary_key=True)
    subject_id: str = Field(index=True)
    sealed: bytes = a_blob()


class LedgerTile(Row, table=True):
    """256 hashes of the tree, C2SP tlog-tiles; above the lowest level also while it still fills."""

    __tablename__ = "ledger_tile"
    level: int = Field(primary_key=True)
    index: int = Field(sa_column=Column("index", BigInteger, primary_key=True, autoincrement=False))
    hashes: bytes = a_blob()


class LedgerHead(Row, table=True):
    """The one row that says where the ledger ends; whoever appends holds it."""

    __tablename__ = "ledger_head"
    id: int = Field(primary_key=True)
    size: int = Field(default=0, sa_type=BigInteger)
    time: int = a_moment()
    frontier: bytes = a_blob()
    keyring_generation: int = Field(default=0, sa_type=BigInteger)


class LedgerCheckpoint(Row, table=True):
    """A signed checkpoint."""

    __tablename__ = "ledger_checkpoint"
    size: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    note: str
    time: int = a_moment()


class Deployment(Row, table=True):
    """Which vault this is: one row, made by init."""

    __tablename__ = "deployment"
    id: str = Field(primary_key=True)
    origin: str
    created_at: int = a_moment()


TABLES: dict[str, type[Row]] = {table.table().name: table for table in Row.__subclasses__()}
GUARDED: dict[str, type[Row]] = {name: table for name, table in TABLES.items() if table.guarded}
