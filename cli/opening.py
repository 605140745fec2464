"""Opening one field of a lease: to eyes, or for a program. It is recorded before its value leaves the vault."""

from collections.abc import Sequence
from typing import Any

from cli import fields, proving
from cli.http import Client
from vault.crypto.residue import lock_down_process
from vault.errors import Invalid
from vault.model.kinds import KINDS


def revealed(client: Client, lease: dict[str, Any], secret: str, field: str) -> fields.Revealed:
    """Open a field of a secret of the lease to eyes.

    From here on this process leaves no core dump, and no other process of the same user reads its memory. Where it
    is an extraordinary kind, a proof of presence is asked for. Raises what the server refuses.
    """
    lock_down_process()
    told = proving.deed(client, "/api/v1/leases", lease["id"], "reveal", secret=secret, field=field)["value"]
    return fields.revealed(kind_of(lease, secret), field, str(told))


def used(client: Client, lease: dict[str, Any], secret: str, field: str) -> fields.Revealed:
    """Open a field of a secret of the lease to hand it to a program; else as `revealed`."""
    lock_down_process()
    told = proving.deed(client, "/api/v1/leases", lease["id"], "use", secret=secret, field=field)["value"]
    return fields.revealed(kind_of(lease, secret), field, str(told))


def one_time_code(client: Client, lease: dict[str, Any], secret: str) -> dict[str, Any]:
    """A code of a carried second factor: `code`, its `period` in seconds and `until` when it is good."""
    told: dict[str, Any] = proving.deed(client, "/api/v1/leases", lease["id"], "code", secret=secret)
    return told


def kind_of(lease: dict[str, Any], secret: str) -> str:
    """The kind of a secret of the lease; nothing for one that is not in it."""
    return next((str(held["kind"]) for held in lease["secrets"] if held["id"] == secret), "")


def is_secret(kind: str, field: str) -> bool:
    """Whether a field is one to hide, like a password; of a kind that only a newer server knows all are."""
    known = {one.name: one.secret for one in KINDS[kind].all_fields} if kind in KINDS else {}
    return known.get(field, True)


def is_file(kind: str, field: str) -> bool:
    """Whether a field holds a file."""
    return any(
        one.name == field and one.reads == "file" for one in (KINDS[kind].all_fields if kind in KINDS else ())
    )


def called(secrets: Sequence[dict[str, Any]], named: str) -> list[dict[str, Any]]:
    """Those of these secrets that are named by id or kind; all of them for no name."""
    return [one for one in secrets if not named or named in {one["id"], one["kind"]}]


def one_secret(lease: dict[str, Any], named: str, field: str) -> str:
    """The id of the secret of the lease that is named by id or kind; the only one with that field for no name.

    Raises Invalid if the person has to say which, with what there is.
    """
    held = called(lease["secrets"], named)
    found = [str(one["id"]) for one in held if field in one["fields"]]
    if len(found) == 1:
        return found[0]
    if named and not held:
        problem = "this lease has no such secret"
    elif found:
        problem = (
            "several secrets of that kind have that field" if named else "several secrets have that field"
        )
    else:
        problem = "no secret of this lease has that field"
    kinds = [one["kind"] for one in held if field in one["fields"]]
    names = kinds if len(set(kinds)) == len(kinds) else found
    raise Invalid(problem).hinting(
        f"say of which secret: {' or '.join(names)}" if found else "; ".join(told_fields(lease))
    )


def told_fields(lease: dict[str, Any]) -> list[str]:
    """What can be opened under a lease, a line for each secret."""
    return [
        f"{one['id']} ({one['kind']}) has {', '.join(one['fields']) or 'one-time codes'}"
        for one in lease["secrets"]
    ]


def with_codes(lease: dict[str, Any], named: str) -> str:
    """The id of the secret of the lease that makes one-time codes. Raises Invalid where that is not one."""
    found = [str(one["id"]) for one in called(lease["secrets"], named) if one["codes"]]
    if len(found) == 1:
        return found[0]
    raise Invalid("several secrets make codes; choose by the secret's id" if found else _NO_CODES).hinting(
        ", ".join(found) if found else "; ".join(told_fields(lease))
    )


_NO_CODES = "no secret of this lease makes one-time codes"
