"""The settings that each service of the embedded stack is started with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sandbox.brokers import Broker
from sandbox.ports import LOOPBACK, choose
from sandbox.processes import AUDIENCE, CLIENT, PREFERRED_PORTS, STRIPE_KEY, Service, clean_environment
from sandbox.progress import Report


@dataclass(frozen=True)
class Addresses:
    """The ports of everything, by the names of `PREFERRED_PORTS`."""

    ports: Mapping[str, int]

    def url(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[name]}"

    @property
    def smtp_url(self) -> str:
        return f"smtp://{LOOPBACK}:{self.ports['smtp']}"


def choose_ports(services: Iterable[Service], preferred: Mapping[str, int], report: Report) -> dict[str, int]:
    """Return the preferred port of each part where it is free, else a free one."""
    chosen: dict[str, int] = {}
    taken: list[str] = []
    ours = (name for service in services for name in (service.name, f"{service.name}-ops"))
    for name in dict.fromkeys((*PREFERRED_PORTS, *ours)):
        chosen[name] = choose(preferred.get(name))
        if name in preferred and chosen[name] != preferred[name]:
            taken.append(f"{name} {preferred[name]} → {chosen[name]}")
    if taken:
        report("ports", f"ready, with others where one is taken: {', '.join(taken)}")
    return chosen


def shared_settings(addresses: Addresses, broker: Broker, webhook_secret: str) -> dict[str, str]:
    """Return the settings of every service; each reads what it needs."""
    pages = addresses.url("front")
    return {
        "APP_ENV": "local",
        "QUITTANCE_INSTANCE": "local",
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "KAFKA_SESSION_TIMEOUT_MS": "3000",  # how long a group waits for a member that was killed
        **({"KAFKA_FETCH_MAX_WAIT_MS": "10"} if broker.kind == "librdkafka" else {}),  # it sleeps all of this
        "STRIPE_SECRET_KEY": STRIPE_KEY,
        "STRIPE_API_BASE": addresses.url("stripe"),
        "STRIPE_LIVEMODE": "false",
        "STRIPE_WEBHOOK_SECRETS": webhook_secret,
        "SMTP_URL": addresses.smtp_url,
        "MAIL_FROM": "Quittance <billing@quittance.test>",
        "TEAM_NOTIFY_EMAIL": "team@quittance.test",
        "SUPPORT_EMAIL": "support@quittance.test",
        "JWT_ISSUER": addresses.url("issuer"),
        "JWT_AUDIENCE": AUDIENCE,
        "JWKS_URL": f"{addresses.url('issuer')}/.well-known/jwks.json",
        "PUBLIC_BASE_URL": pages,
        "ALLOWED_RETURN_ORIGINS": f"{pages},http://localhost:3000",
        **_pages_settings(addresses),
    }


def _pages_settings(addresses: Addresses) -> dict[str, str]:
    """Return how people sign in, and where a form of the pages may lead them."""
    client_id, client_secret = CLIENT
    return {
        "PAGES_FORM_TARGETS": addresses.url("stripe"),
        "OIDC_ISSUER_URL": addresses.url("issuer"),
        "OIDC_CLIENT_ID": client_id,
        "OIDC_CLIENT_SECRET": client_secret,
        "SESSION_SECRET": "sandbox-only-secret-of-the-sessions",
    }


def service_environment(
    service: Service, *, addresses: Addresses, shared: Mapping[str, str], database_urls: Mapping[str, str]
) -> dict[str, str]:
    """Return `shared`, with the ports and the database of this one."""
    own = {"HTTP_HOST": LOOPBACK, "OPS_PORT": str(addresses.ports[f"{service.name}-ops"])}
    if service.http_port:
        own["HTTP_PORT"] = str(addresses.ports[service.name])
    if service.database:
        own["DATABASE_URL"] = database_urls[service.database]
    return {**clean_environment(), **shared, **own}
