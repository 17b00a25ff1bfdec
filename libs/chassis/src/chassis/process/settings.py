"""Settings: environment variables of the same names everywhere, or files of those names in the secrets directory."""

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from chassis.origins import origin_of

# Inputs are hidden in errors: a mistyped secret must not be printed by the refusal to start.
_CONFIG: Final = SettingsConfigDict(
    frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=False, hide_input_in_errors=True
)
PROTECTED: Final = "protected"
"""What a deployment is that says nothing of itself."""
UNPROTECTED: Final = frozenset({"local", "testing"})
SECRETS_DIR: Final = "/run/secrets"


def split_commas(value: Any) -> Any:
    """`a, b` → `("a", "b")`; blanks drop out. What is no text is left to pydantic."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _origins(value: Any) -> Any:
    parts = split_commas(value)
    if not isinstance(parts, tuple | list):
        return parts
    return tuple(_origin(part) for part in parts)


def _origin(text: Any) -> str:
    origin = origin_of(text) if isinstance(text, str) else None
    if origin is None or origin != text.rstrip("/").lower():
        raise ValueError("an allowed origin is scheme://host[:port] and nothing else; `*` is never one")
    return origin


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_commas)]
"""Several values in one environment variable."""

Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)]
"""Comma-separated origins, normalised."""

Port = Annotated[int, Field(ge=0, le=65535)]


class ServiceSettings(BaseSettings):
    """What every service is told. A service subclasses it and adds its own; nothing has a prefix."""

    model_config = _CONFIG

    app_env: str = PROTECTED
    quittance_instance: str = Field(default="local", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"

    http_host: str = "0.0.0.0"
    http_port: Port = 8000
    ops_port: Port = 9000
    public_base_url: str = "http://127.0.0.1:8000"
    allowed_return_origins: Origins = ()
    serve_docs: bool = False
    """Whether `/docs` and `/openapi.json` are there in a protected deployment too."""

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_security_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_security_username: str = ""
    kafka_security_password: SecretStr = SecretStr("")
    kafka_security_cafile: str | None = None
    kafka_fetch_max_wait_ms: int = Field(default=100, gt=0)
    kafka_session_timeout_ms: int = Field(default=30_000, gt=0)

    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwks_url: str = ""
    session_max_seconds: int = Field(default=12 * 3600, gt=0)
    """How long a page's session lives at most, counted from when its token was issued (`iat`)."""

    plaintext_hosts: CommaSeparated = ()
    """Hosts that a protected deployment may reach over plain HTTP, beside this machine: a mesh encrypts, a test may."""

    kill_at: str = ""
    """Where a fault test ends the process; a protected deployment ignores it."""

    team_notify_email: str = ""
    support_email: str = ""

    @property
    def protected(self) -> bool:
        """Return whether this deployment may hold real money: every one that does not say that it is local or testing.

        It alone decides for secrets, cookies, HSTS, kill points and docs: APP_ENV is read nowhere else.
        """
        return self.app_env.strip().lower() not in UNPROTECTED

    @property
    def docs_served(self) -> bool:
        """Whether the API describes itself to whoever asks."""
        return self.serve_docs or not self.protected

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic-settings'
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then files; looked for at each start, since tests and images differ."""
        directory = Path(os.environ.get("SECRETS_DIR", SECRETS_DIR))
        files = (SecretsSettingsSource(settings_cls, secrets_dir=directory),) if directory.is_dir() else ()
        return (init_settings, env_settings, *files)


class DatabaseSettings(BaseSettings):
    """For a service that has a database. `chassis.database.database` picks the driver."""

    model_config = _CONFIG  # here too: the configuration of the last base wins

    database_url: str = Field(repr=False)
    parked_kept_days: int = Field(default=90, ge=40)
    """So long what was parked stays once it is resolved; longer than the sweep looks back, which asks for it."""


class StripeSettings(BaseSettings):
    """For a service that calls Stripe."""

    model_config = _CONFIG

    stripe_secret_key: SecretStr = SecretStr("")
    stripe_api_base: str | None = None
    """Where Stripe is, if not at Stripe: the sandbox, or a proxy."""
    stripe_livemode: bool | None = None
    """Whether money is real here; has to be said where protected, and to agree with the key."""
