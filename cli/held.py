"""The lease that a command works under: one's own of that ticket, or a new one that is handed back at the end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from cli import proving, terminal
from cli.approvals import answered, whose_yes
from cli.http import Client
from cli.lookup import ticket_id, typable
from cli.moments import until
from cli.terminal import say, say_next
from cli.watching import HOW
from vault.errors import Conflict, Ended, Invalid, NotFound, VaultError

MINUTES = 60
_LIVING = ("active", "planned", "asked")
"""The states of a lease that has not ended, the most useful first."""


def own_leases(client: Client) -> list[dict[str, Any]]:
    """One's own leases that have not ended: a coordinator's list has everybody's."""
    me = client.get("/api/v1/session")["person"]["id"]
    every = client.get("/api/v1/leases")
    return [lease for lease in every if lease["person_id"] == me and lease["state"] != "ended"]


def found_lease(client: Client, given: str) -> dict[str, Any] | None:
    """One's own lease by its id, or by the id or number of its ticket; None if that ticket has none.

    Raises NotFound for a lease that is not one's own to see, Invalid where the ticket has several that are alike.
    """
    if given.startswith("lse_"):
        lease: dict[str, Any] = client.get("/api/v1/leases", given)
        return lease
    wanted = given.strip().casefold()
    of_ticket = [
        lease
        for lease in own_leases(client)
        if wanted in {lease["ticket_id"], str(lease["ticket_number"]).casefold()}
    ]
    for state in _LIVING:
        alike = [lease for lease in of_ticket if lease["state"] == state]
        if len(alike) == 1:
            return alike[0]
        if alike:
            raise Invalid("you have several leases of this ticket; name the one you mean by its id").hinting(
                ", ".join(lease["id"] for lease in alike)
            )
    return None


def live_lease(client: Client, given: str) -> dict[str, Any]:
    """The same where it opens now. Raises NotFound where there is none, Conflict where it does not open yet."""
    return _open(_is_there(found_lease(client, given), given))


def _is_there(lease: dict[str, Any] | None, given: str) -> dict[str, Any]:
    if lease is None:
        raise NotFound("you have nothing checked out for this ticket").hinting(f"valetkey checkout {given}")
    return lease


def _open(lease: dict[str, Any]) -> dict[str, Any]:
    if lease["state"] == "planned":
        raise Conflict(f"this lease begins at {until(lease['starts_at'])}, and opens nothing before").hinting(
            f"to give it up: valetkey checkin {lease['id']}"
        )
    if lease["state"] == "asked":
        raise Conflict("this lease waits for another person's yes, and opens nothing before").hinting(
            f"valetkey tickets says whose; to take it back: valetkey checkin {lease['id']}"
        )
    if lease["state"] == "ended":
        raise Ended(f"this lease has ended: {HOW.get(lease['ended_how'], lease['ended_how'])}").hinting(
            f"valetkey checkout {typable(lease['ticket_number'], lease['ticket_id'])}"
        )
    return lease


@contextmanager
def held_for(
    client: Client,
    given: str,
    *,
    reason: str = "",
    minutes: int = MINUTES,
    secrets: Sequence[str] = (),
    only_watched: bool = False,
) -> Iterator[dict[str, Any]]:
    """Work under one's live lease of this ticket, which stays; where there is none, under a new one until the end.

    `only_watched`: nobody is asked for anything where stdin is no terminal, because all of it is for somebody else.
    Raises what `live_lease` and `check_out` raise.
    """
    lease = found_lease(client, given)
    if lease is not None or (only_watched and not terminal.is_watched()):
        lease = _open(_is_there(lease, given))
        yield lease
        say_next(f"valetkey checkin {lease['id']}")
        return
    lease = check_out(client, given, reason=reason, minutes=minutes, secrets=secrets)
    say(f"checked out until {until(lease['expires_at'])}")
    try:
        yield lease
    finally:
        hand_back(client, lease)


def hand_back(client: Client, lease: dict[str, Any]) -> None:
    """Check the lease in. Says so where that does not work: the lease ends by itself then."""
    try:
        with suppress(Ended, NotFound):  # it has ended meanwhile, which is as good
            client.post("/api/v1/leases", lease["id"], "checkin")
    except VaultError as error:
        say(f"it could not be handed back ({error}), and ends by itself at {until(lease['expires_at'])}")
        say_next(f"valetkey checkin {lease['id']}")
    else:
        say("handed back; it opens nothing any more")
        say_next("valetkey tickets")


def check_out(
    client: Client,
    given: str,
    *,
    reason: str = "",
    minutes: int = MINUTES,
    secrets: Sequence[str] = (),
) -> dict[str, Any]:
    """Check secrets of a ticket out, all of them if none is named, and wait where it takes somebody's yes.

    Raises NotFound where nothing was given yet, and what the server refuses.
    """
    lease = ask_for(client, ticket_id(client, given), reason=reason, minutes=minutes, secrets=secrets)
    if lease["state"] == "asked":
        say_waiting(lease)
        lease = answered(client, lease)
    return lease


def ask_for(
    client: Client,
    ticket: str,
    *,
    reason: str,
    minutes: int,
    secrets: Sequence[str] = (),
    begins_at: str | None = None,
) -> dict[str, Any]:
    """Ask for a lease, with the reason and the proof of presence that the person is asked for.

    Gives it as it is then, which may be one that waits for a yes. Raises as `check_out`.
    """
    chosen = list(secrets)
    if not chosen or not all(one.startswith("sec_") for one in chosen):
        found = client.get("/api/v1/tickets", ticket)["secrets"]
        every = [str(held["id"]) for held in found if held["state"] == "checked"]
        chosen = [_named(found, one) for one in chosen] or every
    if not chosen:
        raise NotFound("the customer has not given anything for this ticket's service yet").hinting(
            f"valetkey ticket show {ticket} says what is awaited; a coordinator asks for it"
        )
    begins = {"begins_at": begins_at} if begins_at else {}
    lease: dict[str, Any] = proving.deed(
        client,
        "/api/v1/tickets",
        ticket,
        "leases",
        secrets=chosen,
        minutes=minutes,
        reason=reason or terminal.ask("reason, 10 to 200 characters"),
        **begins,
    )
    return lease


def _named(found: Sequence[dict[str, Any]], given: str) -> str:
    """A secret by its id, or by its kind where only one has that."""
    alike = [str(held["id"]) for held in found if held["kind"] == given]
    return alike[0] if len(alike) == 1 else given


def say_waiting(lease: dict[str, Any], *, waits: bool = True) -> None:
    """Say whose yes a lease waits for, until when, and how to stop waiting."""
    say(f"it takes the yes of {whose_yes(lease)}, which can be given until {until(lease['expires_at'])}")
    if why := _WHY_A_YES.get(lease["approver_why"]):
        say(why)
    if waits:
        say("waiting for it; Ctrl-C leaves it waiting without you")


_WHY_A_YES = {
    "services a day": "you have opened many services within a day, so this one takes a second person",
    "alone": "nobody else is known to have put you on this ticket, so it takes a second person",
}


def first_use(lease: Mapping[str, Any], name: str) -> str:
    """What somebody does first who has these secrets, with the lease named like that."""
    kinds = {one["kind"] for one in lease["secrets"]}
    if any(kind.startswith("ssh-") for kind in kinds):
        return f"valetkey ssh {name}"
    if "sftp" in kinds:
        return f"valetkey sftp {name}"
    if lease["secrets"] and all(one["codes"] for one in lease["secrets"]):
        return f"valetkey code {name}"
    return f"valetkey run {name} -- COMMAND"
