"""Who may be the second person for a change of somebody's account. Pure: facts in, verdict out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from vault.errors import Denied
from vault.values import DAY

WEEK = 7 * DAY
ALONE = (
    "there are no two administrators who can vouch for each other, so that one person alone could do this; "
    "it is done on the vault's host, where it is recorded as the host's: valetkey staff"
)


@dataclass(frozen=True)
class Account:
    """One of the staff, as far as it matters to who may vouch."""

    id: str
    administrator: bool
    """Has the role, and is active."""
    rests_until: int
    made_by: str
    """A person's id, or `host`."""
    made_at: int


def makers_of(account: Account, accounts: Mapping[str, Account], now: int) -> set[str]:
    """Who made somebody within a week, and who made those within a week, and so on: one person may be behind them all.

    `accounts` has everybody who may be among them; the host is nobody's maker in this sense.
    """
    found: set[str] = set()
    one: Account | None = account
    while one is not None and now < one.made_at + WEEK and one.made_by not in found:
        one = accounts.get(one.made_by)
        if one is not None:
            found.add(one.id)
    return found


def related(one: Account, other: Account, accounts: Mapping[str, Account], now: int) -> bool:
    """Whether the same person may be behind both: one has made the other, or somebody has made both, within a week."""
    behind = [{account.id} | makers_of(account, accounts, now) for account in (one, other)]
    return bool(behind[0] & behind[1])


def why_not(  # noqa: PLR0911 (one reason a line)
    voucher: Account, asker: Account, subject_id: str, accounts: Mapping[str, Account], now: int
) -> str:
    """Why somebody may not vouch for what another has asked, in words for the voucher; nothing if they may.

    Of the pairs that can be related, two matter: voucher and asker, who are to be two people; and a voucher made by the
    person concerned, who would vouch for themselves by another name. An asker made by the person concerned does not:
    that person may as well have asked.
    """
    if not voucher.administrator:
        return "only an active administrator vouches"
    if voucher.id == asker.id:
        return "you have asked for it yourself"
    if voucher.id == subject_id:
        return "it is about your own account"
    if not asker.administrator:
        return "who asked for it is no active administrator any more"
    if now < voucher.rests_until:
        return "your own account was changed within the last day"
    if related(voucher, asker, accounts, now):
        return "within the last week one of you two was added by the other, or both by the same person"
    if subject_id in makers_of(voucher, accounts, now):
        return "you were added within the last week by the person whom it is about"
    return ""


def is_alone(administrators: Collection[Account], accounts: Mapping[str, Account], now: int) -> bool:
    """Whether there is no administrator for whose asking another could vouch now, whomever it is about."""
    return all(
        why_not(voucher, asker, "", accounts, now) for asker in administrators for voucher in administrators
    )


def require_second(
    asker: Account,
    subject_id: str,
    administrators: Collection[Account],
    accounts: Mapping[str, Account],
    now: int,
) -> None:
    """Refuse what nobody could vouch for now, in words: nothing waits in vain and nothing is skipped. Raises Denied."""
    if is_alone(administrators, accounts, now):
        raise Denied(ALONE)
    others = [other for other in administrators if other.id not in {asker.id, subject_id}]
    if not others:
        raise Denied(
            "the only other administrator is the one whom this is about, and cannot vouch for it; a third "
            "administrator is needed, or the operator on the vault's host, after disabling the account there"
        )
    if all(why_not(other, asker, subject_id, accounts, now) for other in others):
        raise Denied(
            "none of the other administrators can vouch for this yet: their accounts were changed within the last "
            "day, or within the last week they were added by you or by the person whom it is about; ask again then"
        )
