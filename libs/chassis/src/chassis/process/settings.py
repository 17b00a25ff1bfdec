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
    """Split `a, b` into `("a", "b")`; blanks drop out. What is no text is left to pydantic."""
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

RelayPlace = Literal["inside", "apart"]

Port = Annotated[int, Field(ge=0, le=65535)]


class ServiceSettings(BaseSettings):
    """The settings of every service. A service subclasses it and adds its own; nothing has a prefix."""

    model_config = _CONFIG

    app_env: str = PROTECTED
    """`local` and `testing` are unprotected; every other word is a deployment that may hold real money."""
    quittance_instance: str = Field(default="local", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    """Tells several deployments on one Stripe account apart; it is part of each idempotency key, and never changes."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """The least level that is logged."""

    http_host: str = "0.0.0.0"
    """The address that the process listens on, for both ports."""
    http_port: Port = 8000
    """The port that the process serves on; 0 takes any free one."""
    ops_port: Port = 9000
    """The port of `/livez`, `/readyz` and `/metrics`."""
    public_base_url: str = "http://127.0.0.1:8000"
    """The pages' one origin, as people reach it."""
    allowed_return_origins: Origins = ()
    """Where Stripe and the bank may send people back to, beside our own pages."""
    serve_docs: bool = False
    """Whether `/docs` and `/openapi.json` are there in a protected deployment too."""

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    """Brokers to ask first, as `host:port`, separated by commas."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to connect to Kafka: encrypted or not, signed in or not."""
    kafka_security_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How to sign in to Kafka, where `KAFKA_SECURITY_PROTOCOL` is one of SASL."""
    kafka_security_username: str = ""
    """The user that signs in to Kafka."""
    kafka_security_password: SecretStr = SecretStr("")
    """The password of `KAFKA_SECURITY_USERNAME`."""
    kafka_security_certfile: str | None = None
    """A file with the certificate that Kafka knows us by, and those above it, in PEM; where encrypted (mTLS)."""
    kafka_security_keyfile: str | None = None
    """A file with the private key of `KAFKA_SECURITY_CERTFILE`, in PEM; without it the key stands in that file."""
    kafka_security_keyfile_password: SecretStr = SecretStr("")
    """The password of the private key, where it has one."""
    kafka_security_cafile: str | None = None
    """A file with the certificates of Kafka's authority; without it the system's."""
    kafka_fetch_max_wait_ms: int = Field(default=100, gt=0)
    """How long a broker may hold a fetch while there is nothing to read."""
    kafka_session_timeout_ms: int = Field(default=30_000, gt=0)
    """After how long without a heartbeat a consumer has left its group."""

    jwt_issuer: str = ""
    """The `iss` that a token must have."""
    jwt_audience: str = ""
    """The `aud` that a token must have."""
    jwks_url: str = ""
    """Where the issuer's keys are."""
    session_max_seconds: int = Field(default=12 * 3600, gt=0)
    """How long a page's session lives at most, counted from when its token was issued (`iat`)."""

    plaintext_hosts: CommaSeparated = ()
    """Hosts that a protected deployment may reach over plain HTTP, beside this machine: a mesh encrypts, a test may."""

    otel_exporter_otlp_endpoint: str = ""
    """Where traces go, as OTLP over HTTP (`/v1/traces` is added); without it there are none, and they cost nothing."""
    otel_traces_sampler_arg: float = Field(default=0.01, ge=0, le=1)
    """The share of requests and works that begin a trace; what they cause, in other services too, is part of it."""
    otel_trust_callers: bool = False
    """Whether a caller's `traceparent` is believed: only behind a gateway of yours that sets it."""

    kill_at: str = ""
    """Where a fault test ends the process; a protected deployment ignores it."""

    team_notify_email: str = ""
    """Where mails to the team go."""
    support_email: str = ""
    """What pages and mails give people to write to."""

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
    """The service's own database: `postgresql://user:password@host:port/name`."""
    parked_kept_days: int = Field(default=90, ge=40)
    """So long what was parked stays once it is resolved; longer than the sweep looks back, which asks for it."""


class OutboxSettings(BaseSettings):
    """For a service that publishes facts from its database."""

    model_config = _CONFIG

    relay: RelayPlace = "inside"
    """Who sends the outbox to Kafka: `inside`, the service's own process; `apart`, the command `relay` alone."""


class StripeSettings(BaseSettings):
    """For a service that calls Stripe."""

    model_config = _CONFIG

    stripe_secret_key: SecretStr = SecretStr("")
    """A secret or restricted key of the account."""
    stripe_api_base: str | None = None
    """Where Stripe is, if not at Stripe: the sandbox, or a proxy."""
    stripe_livemode: bool | None = None
    """Whether money is real here; has to be said where protected, and to agree with the key."""
