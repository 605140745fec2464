"""The tables of work at the desk: reviews of what was opened without a yes, and the servers' keys that were met."""

from typing import ClassVar

from sqlmodel import Field

from vault.model.rows import Row, a_blob, a_moment, a_salt


class Review(Row, table=True):
    """A lease that began by broken glass, to be looked at by somebody else."""

    __tablename__ = "review"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    lease_id: str = Field(foreign_key="lease.id", index=True)
    service_id: str = Field(foreign_key="service.id", index=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    """Who broke it."""
    reason: str
    state: str = Field(default="open", index=True)
    verdict: str = ""
    note: str = ""
    closed_by: str = ""
    created_at: int = a_moment()
    due_at: int = a_moment()
    closed_at: int | None = a_moment(nullable=True)
    salt: bytes = a_salt()


class HostKey(Row, table=True):
    """The key that a secret's server showed when somebody first came to it; sealed, since it helps to find the server.

    It belongs to one version of the secret: what is given anew may be for another server.
    """

    __tablename__ = "host_key"
    guarded: ClassVar[bool] = True
    id: str = Field(primary_key=True)
    secret_id: str = Field(foreign_key="secret.id", index=True)
    service_id: str = Field(foreign_key="service.id", index=True)
    version: int
    key_id: str
    sealed: bytes = a_blob()
    person_id: str = Field(foreign_key="person.id")
    """Who met it, and confirmed it."""
    created_at: int = a_moment()
    salt: bytes = a_salt()
