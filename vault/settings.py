"""Configuration: VALETKEY_* variables, then /etc/valetkey/valetkey.toml, then the defaults; secrets come from files."""

import os
from functools import cached_property
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from vault.values import Plaintext

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(BaseSettings):
    """How this deployment is set up. A value that cannot be right stops the start with a sentence that says so."""

    model_config = SettingsConfigDict(
        env_prefix="VALETKEY_",
        toml_file=Path(os.environ.get("VALETKEY_CONFIG", "/etc/valetkey/valetkey.toml")),
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    business: str = Field(default="This business", min_length=1, max_length=120)
    """The name that customers know; it stands on the form, the mails and the certificate."""
    base_url: str = "http://localhost:8700"
    """Where people reach this vault; the one source of links and of the trusted host name."""
    bind: str = "127.0.0.1"
    port: int = Field(default=8700, ge=0, le=65535)
    behind_tls_proxy: bool = False
    """The operator's statement that a proxy on this host ends TLS; needed for any other address than loopback."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For is believed."""

    data_dir: Path = Path("/var/lib/valetkey")
    database_url: str = ""
    """SQLAlchemy URL of vault.db's place; empty means SQLite in `data_dir`."""
    keyring_url: str = ""
    """SQLAlchemy URL of the keyring, a database of its own; empty means SQLite in `data_dir`."""
    keyring_mirror_url: str = ""
    """A second keyring elsewhere that is kept the same; empty means none."""
    root_key_file: Path | None = None
    """The key file of the `file` protector; with it the vault unseals itself when it starts."""
    key_statement_file: Path | None = None
    """The public key that the intake checks service keys against; empty means `data_dir`/key-statement.pub."""

    passkeys_device_bound: bool = False
    """Take only passkeys that cannot leave their device, like a security key."""
    breach_list: Path | None = None
    """A downloaded list of breached passwords: sorted lines of SHA-1 and count, as Have I Been Pwned publishes it."""

    request_days: int = Field(default=14, ge=1, le=90)
    """How long an intake code can be used, in days."""
    services_a_day: int = Field(default=10, ge=1, le=1000)
    """Of so many services one person may begin leases within 24 hours; for one more, each takes a coordinator's yes."""

    smtp_host: str = ""
    """Empty means that no mail is sent; requests are then handed over by the coordinator."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_starttls: bool = True
    smtp_user: str = ""
    smtp_password_file: Path | None = None
    mail_from: str = "valetkey@localhost"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (no .env files: a vault is not configured by accident)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (secrets are read from *_FILE settings)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the TOML file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _never_in_the_clear(self) -> Self:
        url = urlsplit(self.base_url)
        if url.scheme not in {"http", "https"} or not url.hostname or url.path.strip("/") or url.query:
            raise ValueError("base_url is a scheme and a host name, like https://vault.example")
        if url.scheme == "http" and url.hostname not in LOOPBACK:
            raise ValueError("base_url must be https: over plain http everybody on the way could read along")
        if self.bind not in LOOPBACK and not self.behind_tls_proxy:
            raise ValueError(
                "bind to loopback, or say behind_tls_proxy = true when a proxy ends TLS in front of it"
            )
        return self

    @cached_property
    def host_name(self) -> str:
        """The one Host that requests may name, without a port."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def origin(self) -> str:
        """The web origin (RFC 6454) of the pages."""
        url = urlsplit(self.base_url)
        return f"{url.scheme}://{url.netloc}"

    @property
    def vault_url(self) -> str:
        """SQLAlchemy URL of the vault's database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'vault.db'}"

    @property
    def keyring_place(self) -> str:
        """SQLAlchemy URL of the keyring's database."""
        return self.keyring_url or f"sqlite:///{self.data_dir / 'keyring.db'}"

    @property
    def statement_key_place(self) -> Path:
        """Where the verifying key of key statements lies."""
        return self.key_statement_file or self.data_dir / "key-statement.pub"

    @property
    def operator_socket(self) -> Path:
        """The 0600 Unix socket over which the host's operator unseals, seals and administers."""
        return self.data_dir / "operator.sock"

    @property
    def intake_socket(self) -> Path:
        """The Unix socket over which an intake that runs as its own process speaks with the core."""
        return self.data_dir / "intake.sock"

    def smtp_password(self) -> Plaintext | None:
        """The mail server's password, read from its file each time, without the last line break."""
        if self.smtp_password_file is None:
            return None
        return Plaintext(self.smtp_password_file.read_text("utf-8").rstrip("\r\n"))
