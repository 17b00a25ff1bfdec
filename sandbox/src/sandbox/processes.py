"""The process table of the stack: what is started, on which ports, and the settings of each part."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Service:
    """One process of ours. Ports are those that `make up` prefers; every process has an operations port."""

    name: str
    command: tuple[str, ...]
    http_port: int | None
    ops_port: int
    database: str | None


@dataclass(frozen=True)
class Database:
    """One database with a role of its own, and the commands that fill it, in order."""

    name: str
    prepare: tuple[tuple[str, ...], ...]


# fmt: off
SERVICES: Final = (
    #       name                command                       public  operations  database
    Service("catalog",          ("catalog",),                 8101,   9101,       "catalog"),
    Service("purchases-api",    ("purchases", "api"),         8102,   9102,       "purchases"),
    Service("purchases-worker", ("purchases", "worker"),      None,   9103,       "purchases"),
    Service("webhook-gateway",  ("webhook_gateway",),         8103,   9104,       None),
    Service("notifier",         ("notifier",),                8104,   9105,       "notifier"),
)
DATABASES: Final = (
    Database("catalog",   (("catalog", "migrate"), ("catalog", "seed"))),
    Database("purchases", (("purchases", "migrate"),)),
    Database("notifier",  (("notifier", "migrate"),)),
)
PREFERRED_PORTS: Final[Mapping[str, int]] = {
    "postgres": 15432, "kafka": 19092, "stripe": 8111, "mailbox": 8112, "smtp": 8113, "issuer": 8114, "front": 8100,
    **{service.name: service.http_port for service in SERVICES if service.http_port},
    **{f"{service.name}-ops": service.ops_port for service in SERVICES},
}
# fmt: on
AT_STRIPE: Final[Mapping[str, tuple[str, ...]]] = {"catalog": ("catalog", "bootstrap-stripe")}
"""By database, what is then made at Stripe: the plan's product and prices."""

STRIPE_KEY: Final = "sk_test_quittance_sandbox"
AUDIENCE: Final = "quittance"
CLIENT: Final = ("quittance-pages", "sandbox-secret-of-the-pages")
"""Id and secret with which the pages send people to the issuer."""
SIGNED_IN_AT: Final = "/session/callback"
"""Where it sends them back to."""
_OURS: Final = (
    *("STRIPE_", "KAFKA_", "JWT_", "JWKS_", "SMTP_", "OIDC_", "PAGES_", "OTEL_"),
    *("DATABASE_URL", "SESSION_SECRET", "APP_ENV", "BROKER", "KILL_AT", "PLAINTEXT_HOSTS"),
)


def python(*words: str) -> list[str]:
    """Return the command line of a module of ours in this virtual environment."""
    return [sys.executable, "-m", *words]


def clean_environment() -> dict[str, str]:
    """Return this process's environment without the settings that we give, and with no proxy to ourselves."""
    # Without its bytecode, each service would compile itself anew at every start: 4 s on two busy cores.
    dropped = (*_OURS, "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"]))
    return {**kept, "PYTHONUNBUFFERED": "1", "NO_PROXY": no_proxy, "no_proxy": no_proxy}
