"""One table from what went wrong to an exit status, with no class missing."""

import os

import pytest

from cli.exits import BY_STATUS, EXITS, exit_status, refusal, sentence
from vault import errors
from vault.errors import VaultError


def classes(cls: type[VaultError] = VaultError) -> list[type[VaultError]]:
    own = [cls] if cls.__module__ == "vault.errors" else []
    return own + [found for child in cls.__subclasses__() for found in classes(child)]


def test_every_error_of_the_vault_has_an_exit_status() -> None:
    assert {errors.StaleProof, errors.ProofNeeded, errors.NotAgreed, errors.Resting} <= set(classes())
    assert set(classes()) <= set(EXITS)
    assert all(status not in {0, 1, 2, 130} for status in EXITS.values())


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_an_error_comes_back_from_the_wire_as_itself(cls: type[VaultError]) -> None:
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__)
    problem = f"urn:valetkey:problem:{words.removeprefix('-')}"
    for name in (cls.__name__, problem):
        found = refusal(name, 418, "No.", "do this")
        assert type(found) is cls
        assert sentence(found) == ("No.", "do this")
        assert exit_status(found) == EXITS[cls]


def test_an_answer_that_names_no_class_is_read_by_its_status() -> None:
    assert type(refusal("about:blank", 404, "no")) is errors.NotFound
    assert type(refusal("", 500, "no")) is errors.Unavailable
    assert all(issubclass(cls, VaultError) for cls in BY_STATUS.values())


def test_the_hint_of_one_answer_stays_with_it() -> None:
    refusal("Denied", 403, "no", "ask the coordinator")
    assert errors.Denied.hint == ""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FileNotFoundError(2, "No such file or directory", "x"), os.EX_NOINPUT),
        (PermissionError(13, "Permission denied", "x"), os.EX_NOPERM),
        (FileExistsError(17, "File exists", "x"), os.EX_CANTCREAT),
        (OSError(28, "No space left on device"), os.EX_IOERR),
        (RuntimeError("hunter2"), os.EX_SOFTWARE),
    ],
)
def test_errors_of_the_system_and_of_ours(error: Exception, status: int) -> None:
    assert exit_status(error) == status
    assert "hunter2" not in "".join(sentence(error))
