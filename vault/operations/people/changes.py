"""Changes of accounts as they are asked for and shown, and who may vouch for each."""

from dataclasses import dataclass

from vault.errors import Denied, Ended, NotFound
from vault.model.people import Person, StaffChange
from vault.model.views import ChangeView
from vault.operations import showing
from vault.operations.asking import agreement_in_force, roles_of
from vault.policy import vouching as policy
from vault.policy.vouching import Account
from vault.storage.reading import Reading
from vault.storage.unit import Unit
from vault.values import DAY, known_id, new_id, to_datetime

WAITS_FOR = 7 * DAY
_NOTHING = "there is no such thing"


@dataclass(frozen=True)
class Wanted:
    """A change as it is asked for."""

    kind: str
    person_id: str
    roles: str = ""
    mail: str = ""

    def words(self, named: str) -> str:
        """It in words, as the end of “to ask that …” and “to vouch that …”."""
        match self.kind:
            case "join":
                return f"{named} joins as {listed(self.roles)}"
            case "roles":
                return f"{named} is {listed(self.roles)} from now on"
            case "mail":
                return f"the mail address of {named} is {self.mail} from now on"
        return f"the account of {named} is reset"


def accounts_of(reading: Reading, *others: Person) -> tuple[list[Account], dict[str, Account]]:
    """The active administrators, and everybody who may stand behind them or the others."""
    administrators = [
        account_of(person) for person in reading.find_all(Person, state="active", roles="administrator")
    ]
    accounts = {one.id: one for one in (*administrators, *map(account_of, others))}
    for one in list(accounts.values()):
        made_by = one.made_by
        while made_by not in accounts and (maker := reading.find(Person, id=made_by)) is not None:
            accounts[maker.id] = account_of(maker)
            made_by = maker.made_by
    return administrators, accounts


def account_of(person: Person) -> Account:
    """Somebody, as policy judges them."""
    return Account(
        id=person.id,
        administrator=person.state == "active" and "administrator" in roles_of(person.roles),
        rests_until=person.rests_until,
        made_by=person.made_by,
        made_at=person.created_at,
    )


def require_second(reading: Reading, asker: Person, subject_id: str) -> None:
    """Somebody could vouch for this now. Raises Denied, which says why nobody can."""
    administrators, accounts = accounts_of(reading, asker)
    policy.require_second(account_of(asker), subject_id, administrators, accounts, reading.now)


def view(reading: Reading, change: StaffChange, for_id: str) -> ChangeView:
    """A change, and what this person may do about it."""
    person, asker, looker = (
        reading.find(Person, id=one) for one in (change.person_id, change.asked_by, for_id)
    )
    if person is None or asker is None or looker is None:
        raise NotFound(_NOTHING)
    yours, reason = "withdraw", ""
    if asker.id != looker.id:
        reason = why_not(reading, looker, change)
        yours = "" if reason else "vouch"
    return ChangeView(
        id=change.id,
        kind=change.kind,
        person=showing.person(person, agreement_in_force(reading)),
        asked_by=asker.id,
        asked_by_name=asker.name,
        roles=tuple(change.roles.split()),
        mail=change.mail,
        state=change.state,
        decided_by_name=showing.name_of(reading, change.decided_by),
        created_at=to_datetime(change.created_at),
        expires_at=to_datetime(change.expires_at),
        yours=yours,
        why_not=reason,
    )


def wait(unit: Unit, asker: Person, person: Person, wanted: Wanted) -> ChangeView:
    """Have a change wait for its second person."""
    change = StaffChange(
        id=new_id("chg"),
        kind=wanted.kind,
        person_id=person.id,
        asked_by=asker.id,
        roles=wanted.roles,
        mail=wanted.mail,
        former_mail=person.mail if wanted.kind == "mail" else "",
        created_at=unit.now,
        expires_at=unit.now + WAITS_FOR,
    )
    name_in(unit, change)
    unit.insert(change)
    return view(unit, change, asker.id)


def why_not(reading: Reading, voucher: Person, change: StaffChange) -> str:
    """Why somebody may not vouch for a change, in words for them; nothing if they may."""
    asker = reading.find(Person, id=change.asked_by)
    if asker is None:
        return "nobody knows who has asked for it"
    _, accounts = accounts_of(reading, voucher, asker)
    return policy.why_not(account_of(voucher), account_of(asker), change.person_id, accounts, reading.now)


def require_voucher(reading: Reading, voucher: Person, change: StaffChange) -> None:
    """Somebody may vouch for a change. Raises Denied with the reason."""
    reason = why_not(reading, voucher, change)
    if reason:
        raise Denied(f"you cannot vouch for this: {reason}")


def somebody(reading: Reading, person_id: str) -> Person:
    """One of the staff, for who has the right to look. Raises NotFound."""
    person = reading.find(Person, id=known_id("per", person_id))
    if person is None:
        raise NotFound(_NOTHING)
    return person


def waiting_change(reading: Reading, change_id: str) -> tuple[StaffChange, Person]:
    """A change that waits and whose account it is. Raises NotFound; Ended for one that waits no longer."""
    change = reading.find(StaffChange, id=known_id("chg", change_id))
    person = reading.find(Person, id=change.person_id) if change else None
    if change is None or person is None:
        raise NotFound(_NOTHING)
    if change.state != "waiting" or reading.now >= change.expires_at:
        raise Ended("this change was decided meanwhile, or has waited too long")
    return change, person


def name_in(unit: Unit, change: StaffChange) -> None:
    """Have the entry say which change this is."""
    unit.about(change=change.id, person=change.person_id)
    unit.say(kind=change.kind, **({"roles": change.roles} if change.roles else {}))


def shown(person: Person) -> tuple[str, ...]:
    """What is shown of an account where somebody decides about it."""
    return (person.name, person.mail, person.roles, person.state)


def named(person: Person) -> str:
    """Somebody in the words of a deed: names are not unique."""
    return f"{person.name} ({person.mail})"


def listed(roles: str) -> str:
    """Roles in words."""
    return " and ".join(roles.split())
