"""What there is, as tables. Times are Moments (microseconds, UTC) in BIGINT; ids are prefixed and opaque.

A class marked `guarded` has a row digest in the ledger: each change of such a row is named by an entry, and a row that
does not match its newest entry is refused when it is used. Its `salt` keeps the digest from being guessed.
"""

import secrets
from typing import Any, ClassVar, cast

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

_COUNTED = BigInteger().with_variant(
    Integer, "sqlite"
)  # SQLite counts up only in its own INTEGER PRIMARY KEY


def _moment(*, index: bool = False, nullable: bool = False) -> Any:
    """A column of microseconds: SQLModel's own int would overflow on PostgreSQL."""
    return Field(default=None if nullable else 0, sa_type=BigInteger, index=index, nullable=nullable)


def _salt() -> Any:
    return Field(default_factory=lambda: secrets.token_bytes(16), sa_type=LargeBinary, repr=False)


def _blob(*, nullable: bool = False) -> Any:
    return Field(default=None if nullable else b"", sa_type=LargeBinary, nullable=nullable, repr=False)


class Row(SQLModel):
    """A row that knows its table."""

    guarded: ClassVar[bool] = False

    @classmethod
    def table(cls) -> Table:
        """The SQLAlchemy table behind the class."""
        return cast("Table", cls.__table__)  # type: ignore[attr-defined]  # SQLModel makes it, without saying so


class Person(Row, table=True):
    """One of the staff. Disabled people stay, so that the record can name them."""

    __tablename__ = "person"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    mail: str = Field(unique=True)
    name: str
    roles: str = ""
    """In the order of the alphabet, with a space between; empty until somebody has vouched for them."""
    state: str = "invited"
    password_hash: str = Field(default="", repr=False)
    agreed_version: int = 0
    made_by: str
    """Who added them: a person's id, or `host`."""
    rests_until: int = _moment()
    """The end of the cooling-off day: before it the account checks nothing out and vouches for nobody."""
    created_at: int = _moment()
    salt: bytes = _salt()


class Factor(Row, table=True):
    """A second factor: an authenticator's seed, a passkey, or the sheet of recovery codes.

    What is secret of it is wrapped under the root key and bound to this row.
    """

    __tablename__ = "factor"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    kind: str
    name: str
    sealed: bytes = _blob()
    handle: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True, nullable=True, repr=False)
    """The hash by which a passkey is found; none for the others."""
    step: int = Field(default=0, sa_type=BigInteger)
    """What never goes back: the last time step that was used, or the passkey's count of signatures."""
    state: str = "offered"
    offered_to: str = ""
    """The invitation or session to which it was offered, and by which alone it can be confirmed."""
    created_at: int = _moment()
    salt: bytes = _salt()


class Invitation(Row, table=True):
    """The way in for one person: its code opens the enrolment once, for one browser."""

    __tablename__ = "invitation"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    state: str = "open"
    code_hash: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True, nullable=True, repr=False)
    browser_hash: bytes | None = Field(
        default=None, sa_type=LargeBinary, unique=True, nullable=True, repr=False
    )
    password_hash: str = Field(default="", repr=False)
    """The password chosen so far; it becomes the person's with their second factor and not before."""
    created_at: int = _moment()
    expires_at: int = _moment()
    salt: bytes = _salt()


class StaffChange(Row, table=True):
    """A change of somebody's account that waits for a second person: join, roles, reset or mail."""

    __tablename__ = "staff_change"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    kind: str
    person_id: str = Field(foreign_key="person.id", index=True)
    asked_by: str
    roles: str = ""
    mail: str = ""
    former_mail: str = ""
    state: str = Field(default="waiting", index=True)
    decided_by: str = ""
    created_at: int = _moment()
    expires_at: int = _moment()
    salt: bytes = _salt()


class Customer(Row, table=True):
    """A customer of the business."""

    __tablename__ = "customer"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    name: str
    mail: str
    created_at: int = _moment()
    salt: bytes = _salt()


class ServiceType(Row, table=True):
    """An entry of the catalogue, as canonical JSON."""

    __tablename__ = "service_type"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    body: str
    retired: bool = False
    salt: bytes = _salt()


class Agreement(Row, table=True):
    """A version of the confidentiality agreement; the highest is in force."""

    __tablename__ = "agreement"
    guarded: ClassVar[bool] = True
    id: int = Field(primary_key=True)
    text: str
    published_at: int = _moment()
    salt: bytes = _salt()


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
    created_at: int = _moment()
    ends_at: int = _moment(index=True)
    ended_at: int | None = _moment(nullable=True)
    destroyed_at: int | None = _moment(nullable=True)
    salt: bytes = _salt()


class Ticket(Row, table=True):
    """A piece of work on a service."""

    __tablename__ = "ticket"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    service_id: str = Field(foreign_key="service.id", index=True)
    number: str
    title: str
    state: str = "open"
    created_at: int = _moment()
    salt: bytes = _salt()


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
    created_at: int = _moment()
    salt: bytes = _salt()


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
    created_at: int = _moment()
    expires_at: int = _moment()
    salt: bytes = _salt()


class Secret(Row, table=True):
    """One credential. Only its newest version is kept; the version number is part of what its envelope belongs to."""

    __tablename__ = "secret"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    service_id: str = Field(foreign_key="service.id", index=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    kind: str
    because: str
    required: bool = True
    version: int = 0
    """Which version the envelope is; 0 while there is none."""
    asked_version: int = 1
    """Which version the customer gives next; allocated before it is sealed."""
    state: str = Field(default="awaited", index=True)
    key_id: str
    suite: str = ""
    sealed_by: str = ""
    envelope: bytes = _blob()
    given_at: int | None = _moment(nullable=True)
    salt: bytes = _salt()


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
    state: str = Field(default="active", index=True)
    ended_how: str = ""
    starts_at: int = _moment()
    expires_at: int = _moment()
    salt: bytes = _salt()


class Certificate(Row, table=True):
    """The signed statement that a service's secrets were destroyed."""

    __tablename__ = "certificate"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True, foreign_key="service.id")
    note: str
    created_at: int = _moment()
    salt: bytes = _salt()


class Proof(Row, table=True):
    """A proof of presence for one deed, to be consumed by it once. Tagged as a session is."""

    __tablename__ = "proof"
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    deed: bytes = _blob()
    tag: bytes = _blob()
    expires_at: int = _moment()
    spent_at: int | None = _moment(nullable=True)


class Challenge(Row, table=True):
    """What a passkey is asked to sign, once: for a sign-in, a deed, or its own enrolment."""

    __tablename__ = "challenge"
    id: str = Field(primary_key=True)
    purpose: str
    person_id: str = Field(default="", index=True)
    bound_to: str = ""
    """The session or invitation that may answer; none for a sign-in."""
    deed: bytes = _blob()
    question: bytes = _blob()
    sealed: bytes = _blob()
    """The deed in words, for the page on which it is proved; wrapped, because somebody typed some of it."""
    proof_id: str = ""
    expires_at: int = _moment()
    spent_at: int | None = _moment(nullable=True)


class Session(Row, table=True):
    """A signed-in session; only the hashes of its tokens are stored.

    The tag is made under a key that hangs on the root key: whoever can only write to the database cannot make a session
    of a token of their own, nor give theirs to somebody else.
    """

    __tablename__ = "session"
    id: str = Field(primary_key=True)
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    tag: bytes = _blob()
    person_id: str = Field(foreign_key="person.id", index=True)
    channel: str
    refresh_hash: bytes | None = Field(
        default=None, sa_type=LargeBinary, unique=True, nullable=True, repr=False
    )
    """Of the command line's refresh token: each works once."""
    refreshed_hash: bytes | None = Field(
        default=None, sa_type=LargeBinary, index=True, nullable=True, repr=False
    )
    """Of the refresh token before: who brings it again has stolen it, or was stolen from."""
    sealed: bytes = _blob()
    """From where and with what it was started, wrapped, for its owner's list."""
    created_at: int = _moment()
    seen_at: int = _moment()
    expires_at: int = _moment()
    ended_at: int | None = _moment(nullable=True)


class ApiToken(Row, table=True):
    """What an integration carries: a few rights of its maker's, until it expires. Tagged as a session is."""

    __tablename__ = "api_token"
    id: str = Field(primary_key=True)
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    tag: bytes = _blob()
    person_id: str = Field(foreign_key="person.id", index=True)
    name: str
    scopes: str
    created_at: int = _moment()
    expires_at: int = _moment()
    seen_at: int | None = _moment(nullable=True)
    ended_at: int | None = _moment(nullable=True)


class KnownBrowser(Row, table=True):
    """A browser in which somebody has signed in before: it keeps a way in while strangers guess. Tagged."""

    __tablename__ = "known_browser"
    id: str = Field(primary_key=True)
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    tag: bytes = _blob()
    person_id: str = Field(foreign_key="person.id", index=True)
    expires_at: int = _moment()


class DeviceSignIn(Row, table=True):
    """A command line that waits for its person's yes in a browser (RFC 8628). Tagged once it is approved."""

    __tablename__ = "device_sign_in"
    id: str = Field(primary_key=True)
    device_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    user_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    state: str = "waiting"
    person_id: str = ""
    tag: bytes = _blob()
    sealed: bytes = _blob()
    """From where it asks, wrapped."""
    polled_at: int = _moment()
    expires_at: int = _moment()


class Attempt(Row, table=True):
    """How often one key (an account, a source) was tried in its running window."""

    __tablename__ = "attempt"
    id: str = Field(primary_key=True)
    window_at: int = _moment()
    count: int = 0


class RefusalCount(Row, table=True):
    """Refusals of nobody in particular, counted by source and minute so that a flood does not grow the ledger."""

    __tablename__ = "refusal_count"
    source: str = Field(primary_key=True)
    minute: int = Field(primary_key=True, sa_type=BigInteger)
    count: int = 0


class Outbox(Row, table=True):
    """What must be told after a change: a template and ids, never a code, a link or a name."""

    __tablename__ = "outbox"
    id: int | None = Field(default=None, sa_column=Column(_COUNTED, primary_key=True, autoincrement=True))
    template: str
    subject_id: str
    state: str = Field(default="waiting", index=True)
    tries: int = 0
    next_at: int = _moment()


class LedgerEntry(Row, table=True):
    """An entry of the ledger: `body` is what counts; the other columns only help to find it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ix_ledger_entry_service", "service_id", "seq"),
        Index("ix_ledger_entry_actor", "actor", "seq"),
        Index("ix_ledger_entry_type", "type", "seq"),
    )
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    time: int = _moment()
    type: str
    actor: str
    service_id: str | None = None
    body: str = Field(sa_type=Text)
    leaf: bytes = _blob()


class RowHead(Row, table=True):
    """Which entry names a guarded row's newest digest.

    The tag is made under a key that hangs on the root key, so that nobody who can only write to the database makes a
    row head; it is empty from a change in a sealed vault until the unseal that checks it.
    """

    __tablename__ = "row_head"
    row_id: str = Field(primary_key=True)
    seq: int = Field(default=0, sa_type=BigInteger)
    digest: bytes = _blob()
    tag: bytes = _blob()


class Disclosed(Row, table=True):
    """A disclosed field of an entry, encrypted under its person's key."""

    __tablename__ = "disclosure"
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    name: str = Field(primary_key=True)
    subject_id: str = Field(index=True)
    sealed: bytes = _blob()


class LedgerTile(Row, table=True):
    """256 hashes of the tree, C2SP tlog-tiles; above the lowest level also while it still fills."""

    __tablename__ = "ledger_tile"
    level: int = Field(primary_key=True)
    index: int = Field(sa_column=Column("index", BigInteger, primary_key=True, autoincrement=False))
    hashes: bytes = _blob()


class LedgerHead(Row, table=True):
    """The one row that says where the ledger ends; whoever appends holds it."""

    __tablename__ = "ledger_head"
    id: int = Field(primary_key=True)
    size: int = Field(default=0, sa_type=BigInteger)
    time: int = _moment()
    frontier: bytes = _blob()
    keyring_generation: int = Field(default=0, sa_type=BigInteger)


class LedgerCheckpoint(Row, table=True):
    """A signed checkpoint."""

    __tablename__ = "ledger_checkpoint"
    size: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    note: str
    time: int = _moment()


class Deployment(Row, table=True):
    """Which vault this is: one row, made by init."""

    __tablename__ = "deployment"
    id: str = Field(primary_key=True)
    origin: str
    created_at: int = _moment()


TABLES: dict[str, type[Row]] = {table.table().name: table for table in Row.__subclasses__()}
GUARDED: dict[str, type[Row]] = {name: table for name, table in TABLES.items() if table.guarded}
