"""How often something may be tried."""

import pytest

from vault.policy.attempts import LIMITS, allowed, neighbourhood


@pytest.mark.attack("AN01")
@pytest.mark.parametrize("sort", sorted(LIMITS))
def test_the_limit_itself_is_allowed_and_one_more_is_not(sort: str) -> None:
    assert allowed({f"{sort}:x": LIMITS[sort]})
    assert not allowed({f"{sort}:x": LIMITS[sort] + 1})


@pytest.mark.attack("AN01", "AN02")
def test_every_key_must_be_under_its_limit() -> None:
    assert allowed({"account:a": 1, "source:b": LIMITS["source"]})
    assert not allowed({"account:a": 1, "source:b": LIMITS["source"] + 1})
    assert not allowed({"account:a": LIMITS["account"] + 1, "source:b": 1})


@pytest.mark.parametrize("key", ["", "other:x", "account", "accounts:x", ":account"])
def test_what_has_no_limit_is_not_allowed_at_all(key: str) -> None:
    assert allowed({key: 1}) is (key == "account")


def test_a_colon_in_the_name_changes_no_limit() -> None:
    assert allowed({"source:2001:db8::1": LIMITS["source"]})
    assert not allowed({"source:2001:db8::1": LIMITS["source"] + 1})


@pytest.mark.attack("AN02")
@pytest.mark.parametrize(
    ("source", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_source_is_counted_by_what_one_customer_of_a_network_has(source: str, counted: str) -> None:
    assert neighbourhood(source) == counted
