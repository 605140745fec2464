"""What the vault shows of itself: the shapes that the JSON API, the pages and the CLI all read. No secret is in any."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue


class View(BaseModel):
    """A frozen answer. Every time is an aware UTC datetime."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PersonView(View):
    """One of the staff."""

    id: str
    name: str
    mail: str
    roles: tuple[str, ...]
    state: Literal["invited", "active", "disabled"]
    agreed: bool
    """Whether this person has accepted the confidentiality agreement that is now in force."""
    by_host: bool
    """Whether the host's operator added them, and not two administrators."""


class AssignedView(PersonView):
    """A technician on a ticket."""

    until: datetime | None = None
    """None as long as the ticket is open."""
    alone: bool = False
    """Whether nobody else is known to have put them on it: then each lease of theirs takes a coordinator's yes."""


class SessionView(View):
    """A running session and whose it is."""

    person: PersonView
    expires_at: datetime


class AgreementView(View):
    """The confidentiality agreement now in force."""

    version: int
    text: str
    published_at: datetime


class CustomerView(View):
    """A customer of the business."""

    id: str
    name: str
    mail: str
    language: str
    """In which they are written to: `en` or `de`."""


class AskedKind(View):
    """A secret kind that a service type needs or may ask for, and the customer-readable reason."""

    kind: str
    because: str
    necessity: str = ""
    """Why an extraordinary kind cannot be done without; empty for every other kind."""
    approved: bool = False
    """Whether a second person approved that necessity, word for word."""
    approval: Literal["", "coordinator", "customer"] = ""
    """Whose yes each lease of it takes; nobody's where empty."""


class ServiceTypeView(View):
    """An entry of the catalogue. Durations are in the unit their name says."""

    name: str
    title: str
    needs: tuple[AskedKind, ...]
    may_ask: tuple[AskedKind, ...]
    longest_lease_minutes: int
    longest_life_days: int
    grace_days: int = 0
    """How long an end that came by itself can be undone, before the keys go."""
    exclusive: bool = False
    """Whether a login is checked out by one person at a time."""
    break_glass_minutes: int = 0
    """How long a lease lasts that begins by broken glass; 0 where none does."""
    review_days: int = 3
    """Until when such a lease is reviewed."""


class AskableView(View):
    """What the customer of a service can be asked for now."""

    type: ServiceTypeView
    """As the catalogue says it now; of a retired type, as it said last."""
    standing: str
    """Of all that they were asked so far, in hexadecimal: a form that carries it asks only once."""


class SecretView(View):
    """One credential of a service: everything about it but what is in it."""

    id: str
    kind: str
    kind_title: str
    version: int
    state: Literal["awaited", "given", "checked", "refused", "withdrawn", "purged"]
    """awaited: not given yet; given: sealed, not checked yet; checked: it opens and parses; refused: purged by the
    core's check and asked for again; withdrawn: taken back by the customer; purged: destroyed with its service."""
    sealed_by: Literal["", "browser", "intake", "client"]
    """Where it was sealed: in the customer's browser, by the intake for a browser without JavaScript, by the CLI."""
    suite: str
    given_at: datetime | None
    fields: tuple[str, ...]
    """Names of the fields that can be opened, in the kind's order. Which optional ones were filled is sealed too."""
    codes: bool = False
    """Whether one-time codes are made of it; what they are made of never opens."""
    asked_kind: str = ""
    """What was asked for, which the customer may have answered with a key of ours instead of a password."""
    line: str = ""
    """The public half of a key that the customer added on the server."""
    line_stops: datetime | None = None
    """The day from which on that line lets nobody in, where the service lasts longer; the customer has another one."""
    approval: Literal["", "coordinator", "customer"] = ""
    """Whose yes a lease of it takes as the catalogue stands now; said where a ticket is shown."""


class RequestView(View):
    """What a customer was asked for. `code` is there once, in the answer to whoever hands it over."""

    id: str
    service_id: str
    state: Literal["asked", "started", "done", "cancelled", "expired"]
    deliver: Literal["mail", "hand"]
    kinds: tuple[str, ...]
    expires_at: datetime
    code: str | None = None
    link: str | None = None
    pin: str | None = None
    """To be told by telephone; there once, with the code or before the mail."""


class ServiceView(View):
    """One customer's registered service."""

    id: str
    customer: CustomerView
    type: str
    title: str
    state: Literal["open", "ended", "destroyed"]
    created_at: datetime
    ends_at: datetime
    paused_at: datetime | None = None
    """Since when the customer lets nothing of it open."""
    ended_at: datetime | None
    destroy_at: datetime | None = None
    destroyed_at: datetime | None
    secrets: tuple[SecretView, ...] = ()
    requests: tuple[RequestView, ...] = ()


class TicketView(View):
    """A piece of work on a service, with the staff assigned to it."""

    id: str
    service_id: str
    service_title: str
    customer_name: str
    number: str
    title: str
    state: Literal["open", "closed"]
    assigned: tuple[AssignedView, ...]
    secrets: tuple[SecretView, ...] = ()
    service_ends_at: datetime
    paused_at: datetime | None
    """Since when the customer has paused the service: nothing of it opens until they let it go on."""
    longest_lease_minutes: int
    """How long a lease of this service's type may last."""
    exclusive: bool = False
    """Whether a login of it is checked out by one person at a time."""


class LeaseView(View):
    """A technician's time-limited right to open named secrets of one ticket."""

    id: str
    ticket_id: str
    ticket_number: str
    service_id: str
    service_title: str
    customer_name: str
    person_id: str
    person_name: str
    reason: str
    minutes: int
    approver: Literal["", "coordinator", "customer"]
    """Whose yes it takes before it begins."""
    approver_why: Literal["", "services a day", "alone"] = ""
    """What makes it take a yes besides the catalogue. services a day: its holder opens many services within a day;
    alone: nobody else is known to have put them on the ticket."""
    decided_by_name: str
    """Who said yes or no; empty while nobody has, and where nobody had to."""
    refusal: str
    """Why a coordinator said no; a customer need not say."""
    digest: str
    """Of all that is asked for, in hexadecimal: a yes is for exactly this."""
    state: Literal["asked", "planned", "active", "ended"]
    """asked: it waits for a yes; planned: it begins at `starts_at`. Neither opens anything."""
    ended_how: Literal[
        "", "refused", "not answered", "taken back", "approver disabled", "check-in", "expiry", "revocation",
        "ticket closed", "unassigned", "service ended", "disabled", "account reset", "role taken away",
    ]  # fmt: skip
    begins_at: datetime | None = None
    """When it is to begin, as it was asked for; None for at once."""
    starts_at: datetime
    expires_at: datetime
    extendable_minutes: int = 0
    """By how much whoever looks can make it longer now."""
    paused_at: datetime | None
    """Since when the customer has paused the service: nothing of it opens, and the lease goes on to its end."""
    review_id: str = ""
    """The review of it, where it began by broken glass."""
    review_state: Literal["", "open", "closed"] = ""
    breakable: bool = False
    """Whether whoever looks can break the glass for it now."""
    breakable_minutes: int = 0
    """How long it would last then."""
    review_days: int = 0
    """Within how many days that would be reviewed."""
    reviewers: tuple[str, ...] = ()
    """Who could review it, by name."""
    why_not_breakable: str = ""
    """Why its holder cannot, in words; empty for everybody else, and where they can."""
    secrets: tuple[SecretView, ...]


class ApprovalView(View):
    """A lease that takes a coordinator's yes, with what helps to decide."""

    lease: LeaseView
    lately: tuple[LeaseView, ...]
    """What the same person checked out within the last seven days, the newest first, ten at most. Lists have none."""
    yours: bool
    """Whether whoever looks can say yes to it now."""
    why_not: str
    """Why they cannot, in words; empty where they can."""


class CertificateView(View):
    """The signed statement that a service's secrets were destroyed: a C2SP signed note over canonical JSON."""

    service_id: str
    note: str
    key: str


class HealthView(View):
    """Whether the vault is there and what it can do now."""

    status: Literal["ok", "sealed", "clock in doubt", "not recording"]
    schema_version: str


class DeedView(View):
    """What somebody is asked to prove, for the page on which they do so."""

    id: str
    words: str
    """The deed, as the end of the sentence “Prove that it is you, to …”."""
    passkey: dict[str, JsonValue] | None
    """PublicKeyCredentialRequestOptions in JSON (WebAuthn L3, 5.4); None for who has no passkey."""
    code: bool
    """Whether this person has an authenticator that shows codes."""
    expires_at: datetime


class FactorView(View):
    """One of somebody's own factors: all about it but what is secret."""

    id: str
    kind: Literal["totp", "passkey", "recovery"]
    name: str
    created_at: datetime
    left: int | None
    """How many recovery codes are left; None for the others."""


class OwnSessionView(View):
    """One of somebody's own running sessions."""

    id: str
    channel: Literal["page", "api", "cli"]
    client: str
    """With what, in short words: “Firefox on Windows”, “command line”."""
    source: str
    """The network address that it was started from."""
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    here: bool
    """Whether it is the one that asks."""


class ApiTokenView(View):
    """An API token that works: all about it but the token."""

    id: str
    name: str
    scopes: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


class DeviceView(View):
    """A command line that waits for somebody's yes."""

    client: str
    """With what it was asked, in its own short words: not proved by anything."""
    source: str
    """The network address that it asks from."""
    expires_at: datetime


class AccountView(View):
    """Somebody's own account."""

    person: PersonView
    rests_until: datetime | None
    """The end of the cooling-off day, while it lasts."""
    factors: tuple[FactorView, ...]
    sessions: tuple[OwnSessionView, ...]
    tokens: tuple[ApiTokenView, ...]
    agreement_version: int
    """The version in force; 0 while none was published."""


class ChangeView(View):
    """A change of somebody's account that waits, or has waited, for a second person."""

    id: str
    kind: Literal["join", "roles", "reset", "mail"]
    person: PersonView
    asked_by: str
    asked_by_name: str
    roles: tuple[str, ...]
    """What the person is to have; for `join` and `roles`."""
    mail: str
    """The address the person is to have; for `mail`."""
    state: Literal["waiting", "done", "refused", "withdrawn", "expired"]
    decided_by_name: str
    created_at: datetime
    expires_at: datetime
    yours: Literal["vouch", "withdraw", ""] = ""
    """What the asker of this list may do about it."""
    why_not: str = ""
    """Why they may not vouch, in words."""


class StaffView(View):
    """The staff as administrators see them."""

    people: tuple[PersonView, ...]
    waiting: tuple[ChangeView, ...]
    alone: bool
    """Whether there are no two administrators who could vouch for each other: then the host makes changes."""


class InvitationView(View):
    """An invitation, for whoever hands it over. `code` and `link` are there once, and only without a mail server."""

    person: PersonView
    deliver: Literal["mail", "hand"]
    expires_at: datetime
    code: str | None = None
    link: str | None = None


class EnrolmentView(View):
    """How far somebody's enrolment has come."""

    name: str
    mail: str
    roles: tuple[str, ...]
    business: str
    step: Literal["password", "factor", "done"]
    expires_at: datetime
