"""Who may be the second person: somebody else, and nobody whom the first one made."""

from itertools import product

import pytest

from vault.errors import Denied
from vault.policy.vouching import WEEK, Account, is_alone, makers_of, related, require_second, why_not
from vault.values import DAY

NOW = 1_000 * DAY
LONG_AGO = NOW - 100 * DAY


def administrator(name: str, made_by: str = "host", made_at: int = LONG_AGO, rests_until: int = 0) -> Account:
    return Account(name, administrator=True, rests_until=rests_until, made_by=made_by, made_at=made_at)


def known(*accounts: Account) -> dict[str, Account]:
    return {one.id: one for one in accounts}


ADA, BEN, CAT = (administrator(name) for name in ("ada", "ben", "cat"))


@pytest.mark.attack("AZ11")
@pytest.mark.parametrize(
    ("voucher", "asker", "subject"),
    list(product((ADA, BEN, CAT), (ADA, BEN, CAT), ("ada", "ben", "cat", "tom"))),
)
def test_three_people_or_two_and_never_one(voucher: Account, asker: Account, subject: str) -> None:
    reason = why_not(voucher, asker, subject, known(ADA, BEN, CAT), NOW)
    assert bool(reason) == (voucher.id in {asker.id, subject}), reason


@pytest.mark.attack("AZ22", "AZ12")
def test_both_are_active_administrators_when_it_is_decided() -> None:
    left = Account("ben", administrator=False, rests_until=0, made_by="host", made_at=LONG_AGO)
    assert "only an active administrator" in why_not(left, ADA, "tom", known(ADA, left), NOW)
    assert "no active administrator any more" in why_not(ADA, left, "tom", known(ADA, left), NOW)


@pytest.mark.attack("AZ06", "AZ11")
@pytest.mark.parametrize(("age", "may"), [(0, False), (WEEK - 1, False), (WEEK, True), (WEEK + DAY, True)])
def test_nobody_vouches_with_or_for_whom_they_made_within_a_week(age: int, *, may: bool) -> None:
    puppet = administrator("puppet", made_by="ada", made_at=NOW - age)
    accounts = known(ADA, puppet)
    for voucher, asker in ((puppet, ADA), (ADA, puppet)):
        assert (why_not(voucher, asker, "tom", accounts, NOW) == "") == may


@pytest.mark.attack("AZ06")
def test_the_host_is_nobody_s_maker() -> None:
    fresh = [administrator(name, made_at=NOW) for name in ("ada", "ben")]
    assert why_not(fresh[0], fresh[1], "tom", known(*fresh), NOW) == ""


@pytest.mark.attack("AZ06", "AZ11")
def test_one_person_behind_two_accounts_is_one_person() -> None:
    one, two = (administrator(name, made_by="ada", made_at=NOW - DAY) for name in ("one", "two"))
    assert related(one, two, known(ADA, one, two), NOW)
    grandchild = administrator("grandchild", made_by="one", made_at=NOW)
    assert makers_of(grandchild, known(ADA, one, grandchild), NOW) == {"one", "ada"}
    assert why_not(grandchild, ADA, "tom", known(ADA, one, grandchild), NOW)
    assert not related(one, BEN, known(ADA, one, BEN), NOW)


def test_a_chain_ends_where_it_is_older_than_a_week() -> None:
    old = administrator("old", made_by="ada")
    new = administrator("new", made_by="old", made_at=NOW)
    assert makers_of(new, known(ADA, old, new), NOW) == {"old"}
    assert why_not(new, ADA, "tom", known(ADA, old, new), NOW) == ""


def test_rows_that_made_each_other_do_not_hold_it_up() -> None:
    one, two = administrator("one", "two", NOW), administrator("two", "one", NOW)
    assert makers_of(one, known(one, two), NOW) == {"one", "two"}


@pytest.mark.attack("AZ06")
def test_nobody_vouches_for_themselves_by_whom_they_made() -> None:
    puppet = administrator("puppet", made_by="ben", made_at=NOW - DAY)
    accounts = known(ADA, BEN, puppet)
    assert "the person whom it is about" in why_not(puppet, ADA, "ben", accounts, NOW)
    assert why_not(puppet, ADA, "tom", accounts, NOW) == ""
    assert why_not(ADA, puppet, "ben", accounts, NOW) == "", "Ben might as well have asked himself"


def test_whose_account_was_just_changed_vouches_for_nobody_and_may_ask() -> None:
    resting = administrator("ben", rests_until=NOW + 1)
    accounts = known(ADA, resting)
    assert "within the last day" in why_not(resting, ADA, "tom", accounts, NOW)
    assert why_not(ADA, resting, "tom", accounts, NOW) == ""
    assert why_not(resting, ADA, "tom", accounts, NOW + 1) == ""


PUPPET = administrator("puppet", made_by="ada", made_at=NOW)
RESTING = administrator("ben", rests_until=NOW + 1)


@pytest.mark.parametrize(
    ("administrators", "alone"),
    [
        ([], True),
        ([ADA], True),
        ([ADA, PUPPET], True),
        ([ADA, BEN], False),
        ([ADA, RESTING], False),
        ([ADA, PUPPET, BEN], False),
        ([administrator("ada", rests_until=NOW + 1), RESTING], True),
    ],
)
def test_alone_is_when_nobody_could_vouch_for_anybody(administrators: list[Account], *, alone: bool) -> None:
    assert is_alone(administrators, known(*administrators), NOW) == alone


@pytest.mark.parametrize(
    ("administrators", "subject", "said"),
    [
        ([ADA], "tom", "valetkey staff"),
        ([ADA, PUPPET], "tom", "valetkey staff"),
        ([ADA, BEN], "ben", "a third administrator is needed"),
        ([ADA, RESTING], "tom", "ask again then"),
        ([ADA, PUPPET, BEN], "ben", "ask again then"),
        ([ADA, BEN], "tom", ""),
        ([ADA, BEN], "ada", ""),
        ([ADA, BEN, CAT], "ben", ""),
    ],
)
def test_what_nobody_could_vouch_for_is_refused_in_words(
    administrators: list[Account], subject: str, said: str
) -> None:
    if not said:
        require_second(ADA, subject, administrators, known(*administrators), NOW)
        return
    with pytest.raises(Denied, match=said):
        require_second(ADA, subject, administrators, known(*administrators), NOW)
