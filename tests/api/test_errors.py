import inspect
import json

import pytest
from starlette.responses import Response

from api.errors import HEADERS, STATUS, answer, problem_of, problem_of_fault, problem_of_status
from vault import errors

CHALLENGE = {
    "id": "chl_x",
    "deed": "hunter2",
    "passkey": None,
    "code": True,
    "expires_at": "2026-12-01T00:00:00Z",
}


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
    problem = problem_of(made(kind, "the sentence"))
    assert problem.detail == "The sentence."
    assert problem.kind.replace("-", "") == kind.__name__.lower()
    assert problem.status == STATUS[kind]
    assert 400 <= problem.status < 600
    assert problem.status != 500
    assert problem.hint == kind.hint
    assert problem_of(made(kind, "")).detail.endswith(".")


def made(kind: type[errors.VaultError], sentence: str) -> errors.VaultError:
    return errors.ProofNeeded(sentence, CHALLENGE) if kind is errors.ProofNeeded else kind(sentence)


@pytest.mark.attack("DP17")
def test_a_challenge_is_for_programs_and_on_no_page() -> None:
    problem = problem_of(made(errors.ProofNeeded, "prove it"))
    assert problem.status == 401
    assert "hunter2" not in repr(problem)

    def asked(accept: str, path: str) -> Response:
        return answer({"type": "http", "path": path, "headers": [(b"accept", accept.encode())]}, problem)

    for accept, path in (
        ("application/problem+json", "/tickets/x"),
        ("", "/account"),
        ("text/html", "/api/v1/x"),
    ):
        told = asked(accept, path)
        assert json.loads(bytes(told.body))["challenge"] == CHALLENGE
        assert told.headers["www-authenticate"] == 'Bearer error="insufficient_user_authentication"'
    page = asked("text/html,*/*;q=0.8", "/tickets/x")
    assert b"<h1>" in page.body
    assert b"hunter2" not in page.body
    assert b"chl_" not in page.body
    assert "challenge" not in problem_of(errors.StaleProof("no")).members()


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
