"""The tables of the staff: who they are, with what they prove it, and what their proofs have opened."""

from typing import ClassVar

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field

from vault.model.rows import Row, a_blob, a_moment, a_salt


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
    factors: str = ""
    """The ids of the factors that count, with a space between: one that is put back behind our back is none of them."""
    agreed_version: int = 0
    made_by: str
    """Who added them: a person's id, or `host`."""
    rests_until: int = a_moment()
    """The end of the cooling-off day: before it the account checks nothing out and vouches for nobody."""
    created_at: int = a_moment()
    salt: bytes = a_salt()


class Factor(Row, table=True):
    """A second factor: an authenticator's seed, a passkey, or the sheet of recovery codes.

    What is secret of it is wrapped under the root key and bound to this row.
    """

    __tablename__ = "factor"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    """Whose it is: one of the staff, or a customer, who has passkeys alone."""
    kind: str
    name: str
    sealed: bytes = a_blob()
    handle: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True, nullable=True, repr=False)
    """The hash by which a passkey is found; none for the others."""
    step: int = Field(default=0, sa_type=BigInteger)
    """What never goes back: the last time step that was used, or the passkey's count of signatures."""
    state: str = "offered"
    offered_to: str = ""
    """The invitation or session to which it was offered, and by which alone it can be confirmed."""
    created_at: int = a_moment()
    salt: bytes = a_salt()


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
    created_at: int = a_moment()
    expires_at: int = a_moment()
    salt: bytes = a_salt()


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
    created_at: int = a_moment()
    expires_at: int = a_moment()
    salt: bytes = a_salt()


class Proof(Row, table=True):
    """A proof of presence for one deed, to be consumed by it once. Tagged as a session is."""

    __tablename__ = "proof"
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    deed: bytes = a_blob()
    tag: bytes = a_blob()
    expires_at: int = a_moment()
    spent_at: int | None = a_moment(nullable=True)


class Challenge(Row, table=True):
    """What a passkey is asked to sign, once: for a sign-in, a deed, or its own enrolment. Tagged as a session is."""

    __tablename__ = "challenge"
    id: str = Field(primary_key=True)
    purpose: str
    person_id: str = Field(default="", index=True)
    bound_to: str = ""
    """The session or invitation that may answer; none for a sign-in."""
    deed: bytes = a_blob()
    question: bytes = a_blob()
    tag: bytes = a_blob()
    sealed: bytes = a_blob()
    """The deed in words, for the page on which it is proved; wrapped, because somebody typed some of it."""
    proof_id: str = ""
    expires_at: int = a_moment()
    spent_at: int | None = a_moment(nullable=True)


class Session(Row, table=True):
    """A signed-in session; only the hashes of its tokens are stored.

    The tag is made under a key that hangs on the root key: whoever can only write to the database cannot make a session
    of a token of their own, nor give theirs to somebody else.
    """

    __tablename__ = "session"
    id: str = Field(primary_key=True)
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    tag: bytes = a_blob()
    person_id: str = Field(foreign_key="person.id", index=True)
    channel: str
    refresh_hash: bytes | None = Field(
        default=None, sa_type=LargeBinary, unique=True, nullable=True, repr=False
    )
    """Of the command line's present refresh token: each works once."""
    refreshed_hash: bytes | None = Field(
        default=None, sa_type=LargeBinary, index=True, nullable=True, repr=False
    )
    """Of what all refresh tokens of the session have in common: whoever brings an old one, somebody has stolen it."""
    sealed: bytes = a_blob()
    """From where and with what it was started, wrapped, for its owner's list."""
    created_at: int = a_moment()
    seen_at: int = a_moment()
    expires_at: int = a_moment()
    ended_at: int | None = a_moment(nullable=True)


class ApiToken(Row, table=True):
    """What an integration carries: a few rights of its maker's, until it expires. Tagged as a session is."""

    __tablename__ = "api_token"
    id: str = Field(primary_key=True)
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    tag: bytes = a_blob()
    person_id: str = Field(foreign_key="person.id", index=True)
    name: str
    scopes: str
    created_at: int = a_moment()
    expires_at: int = a_moment()
    seen_at: int | None = a_moment(nullable=True)
    ended_at: int | None = a_moment(nullable=True)


class KnownBrowser(Row, table=True):
    """A browser in which somebody has signed in before: it keeps a way in while strangers guess. Tagged."""

    __tablename__ = "known_browser"
    id: str = Field(primary_key=True)
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    tag: bytes = a_blob()
    person_id: str = Field(foreign_key="person.id", index=True)
    expires_at: int = a_moment()


class DeviceSignIn(Row, table=True):
    """A command line that waits for its person's yes in a browser (RFC 8628). Tagged once it is approved."""

    __tablename__ = "device_sign_in"
    id: str = Field(primary_key=True)
    device_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    user_hash: bytes = Field(sa_type=LargeBinary, unique=True, repr=False)
    state: str = "waiting"
    person_id: str = ""
    tag: bytes = a_blob()
    sealed: bytes = a_blob()
    """From where it asks, wrapped."""
    polled_at: int = a_moment()
    expires_at: int = a_moment()


class Attempt(Row, table=True):
    """How often one key (an account, a source) was tried in its running window."""

    __tablename__ = "attempt"
    id: str = Field(primary_key=True)
    window_at: int = a_moment()
    count: int = 0
