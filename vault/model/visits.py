"""A customer on their own page: asked for by the page's link, opened by a one-time code from their mailbox."""

from sqlalchemy import LargeBinary
from sqlmodel import Field

from vault.model.rows import Row, a_blob, a_moment


class Visit(Row, table=True):
    """One sign-in of a customer: asked, then open, then ended.

    The tag is made under a key that hangs on the root key, as a session's is. It is empty where the vault was sealed:
    such a visit can only take away, and is over with the unseal.
    """

    __tablename__ = "visit"
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    state: str = "asked"
    browser_hash: bytes = Field(default=b"", sa_type=LargeBinary, unique=True, nullable=False, repr=False)
    code_hash: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True, repr=False)
    """Of the code that was mailed; none before the mail is sent and after the code was used."""
    tries: int = 0
    tag: bytes = a_blob()
    created_at: int = a_moment()
    seen_at: int = a_moment()
    expires_at: int = a_moment()
