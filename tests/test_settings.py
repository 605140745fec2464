"""A vault cannot be set up so that people read along on the way, nor by a switch that nobody meant."""

import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.source_tree import named, sources, tree_of
from vault.settings import Settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Settings.model_config, "toml_file", None)


@pytest.mark.attack("DP09")
@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://vault.example"},
        {"base_url": "ftp://vault.example"},
        {"base_url": "https://vault.example/below"},
        {"base_url": "vault.example"},
        {"bind": "0.0.0.0"},  # noqa: S104 (that is what must be refused)
        {"bind": "::", "base_url": "https://vault.example"},
        {"bind": "192.0.2.7", "base_url": "https://vault.example"},
    ],
)
def test_plain_http_beyond_loopback_does_not_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)


@pytest.mark.attack("DP09")
def test_a_proxy_that_ends_tls_must_be_stated() -> None:
    stated = Settings(base_url="https://vault.example", bind="192.0.2.7", behind_tls_proxy=True)
    assert stated.origin == "https://vault.example"
    assert Settings().bind == "127.0.0.1"


@pytest.mark.attack("DP08")
def test_there_is_no_debug_switch_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Settings()
    for name in ("VALETKEY_DEBUG", "VALETKEY_TESTING", "DEBUG", "FASTAPI_DEBUG"):
        monkeypatch.setenv(name, "1")
    assert Settings() == usual
    words = {word for name in Settings.model_fields for word in name.split("_")}
    assert "passkeys" in words
    assert not words & {"debug", "test", "testing", "dev", "development"}
    with pytest.raises(ValidationError):
        Settings(debug=True)  # type: ignore[call-arg]


@pytest.mark.attack("DP08")
def test_no_source_turns_a_debug_mode_on() -> None:
    switches = {"debug", "reload", "echo", "show_locals", "pretty_exceptions_show_locals"}
    seen = 0
    for path in sources():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call):
                seen += 1
                on = [word.arg for word in node.keywords if word.arg in switches and not _is_off(word.value)]
                assert not on, f"{named(path)} line {node.lineno} turns on {on}"
    assert seen > 500


def _is_off(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def test_a_wrong_setting_is_named_and_not_repeated() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(smtp_port="hunter2-and-more")  # type: ignore[arg-type]
    assert "smtp_port" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_variable_wins_over_the_file_and_an_unknown_line_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "valetkey.toml"
    file.write_text('business = "From the file"\nrequest_days = 7\n', "utf-8")
    monkeypatch.setitem(Settings.model_config, "toml_file", file)
    monkeypatch.setenv("VALETKEY_BUSINESS", "From a variable")
    assert (Settings().business, Settings().request_days) == ("From a variable", 7)
    file.write_text("requestdays = 7\n", "utf-8")
    with pytest.raises(ValidationError):
        Settings()


def test_the_mail_password_is_read_from_its_file_and_hides_itself(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("one two \n", "utf-8")
    password = Settings(smtp_password_file=file).smtp_password()
    assert password is not None
    assert password.expose() == "one two "
    assert "one" not in repr(password)
    assert Settings().smtp_password() is None
