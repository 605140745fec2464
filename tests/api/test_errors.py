import inspect

import pytest

from api.errors import HEADERS, STATUS, problem_of, problem_of_fault, problem_of_status
from vault import errors


def classes() -> list[type[errors.VaultError]]:
    return [
        thing
        for thing in vars(errors).values()
        if inspect.isclass(thing) and issubclass(thing, errors.VaultError)
    ]


def test_every_error_of_the_vault_has_its_status() -> None:
    assert errors.Tampered in classes()  # the canary: the sweep has seen the tree
    assert set(classes()) == set(STATUS)
    assert set(HEADERS) <= set(STATUS)


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_error_becomes_a_sentence_with_a_stable_type(kind: type[errors.VaultError]) -> None:
    problem = problem_of(kind("the sentence"))
    assert problem.detail == "The sentence."
    assert problem.kind.replace("-", "") == kind.__name__.lower()
    assert problem.status == STATUS[kind]
    assert 400 <= problem.status < 600
    assert problem.status != 500
    assert problem.hint == kind.hint
    assert problem_of(kind("")).detail.endswith(".")


def test_a_field_at_fault_is_named_by_its_pointer() -> None:
    assert problem_of(errors.Invalid("no", "/fields/host")).members()["pointer"] == "/fields/host"
    assert "pointer" not in problem_of(errors.Denied("no")).members()


@pytest.mark.attack("IN08")
def test_the_name_of_an_unknown_field_is_not_repeated() -> None:
    problem = problem_of_fault(
        {"type": "extra_forbidden", "loc": ("body", "a", "hunter2"), "input": "hunter2"}
    )
    assert problem.pointer == "/a"
    assert "hunter2" not in str(problem.members())


def test_bounds_are_said_and_unknown_faults_have_a_sentence_too() -> None:
    long = problem_of_fault({"type": "string_too_long", "loc": ("body", "t"), "ctx": {"max_length": 9}})
    assert long.detail == "This has at most 9 characters."
    assert problem_of_fault({"type": "never heard of", "loc": ("query", "x")}).pointer == ""
    assert "{" not in problem_of_fault({"type": "string_too_long", "loc": ("body", "t")}).detail


def test_plain_statuses_have_words_of_our_own() -> None:
    for status in (400, 403, 404, 405, 413, 414, 415, 421, 500):
        problem = problem_of_status(status)
        assert problem.detail.endswith(".")
        assert problem.detail != "The request could not be answered."
