"""What is wrong with a process's settings: one sentence for each finding, that says what to set and never a value.

Each process asks for what it uses. A developer's machine is asked only for what it could not start without.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote, urlsplit

from chassis.process.page_settings import SignInSettings
from chassis.process.secret_shapes import (
    SHORTEST_SESSION_SECRET,
    is_placeholder,
    is_published,
    session_secret_fault,
    stripe_key_fault,
)
from chassis.process.settings import ServiceSettings, StripeSettings

STRIPE: Final = "stripe.com"
PLAIN: Final = "set an https address, or name its host in PLAINTEXT_HOSTS where the network in between is trusted"


def address(name: str, url: str, settings: ServiceSettings) -> Iterable[str]:
    """Find what is wrong with the address in `name`: it has to be http(s), and where protected https."""
    host = _host(url)
    if not url.lower().startswith(("http://", "https://")) or host is None:
        yield f"{name} is no http(s) address: set one."
    elif url.lower().startswith("http://") and settings.protected and not _may_be_plain(host, settings):
        yield f"{name} is plain HTTP: {PLAIN}."


def traces(settings: ServiceSettings) -> Iterable[str]:
    """Find what is wrong with where traces go; nothing where there are none."""
    if settings.otel_exporter_otlp_endpoint:
        yield from address("OTEL_EXPORTER_OTLP_ENDPOINT", settings.otel_exporter_otlp_endpoint, settings)


def callers(settings: ServiceSettings) -> Iterable[str]:
    """Find what hinders a process that verifies tokens."""
    if not settings.jwt_issuer:
        yield "JWT_ISSUER is not set: set it to what the tokens' `iss` says."
    elif settings.jwt_issuer.lower().startswith("http://"):
        yield from address("JWT_ISSUER", settings.jwt_issuer, settings)
    if not settings.jwt_audience:
        yield "JWT_AUDIENCE is not set: set it to what the tokens' `aud` says."
    yield from address("JWKS_URL", settings.jwks_url, settings)


def sign_in(settings: ServiceSettings, own: SignInSettings) -> Iterable[str]:
    """Find what hinders people from signing in; nothing where there is no issuer and nobody can."""
    if not own.oidc_issuer_url:
        return
    yield from address("OIDC_ISSUER_URL", own.oidc_issuer_url, settings)
    if not own.oidc_client_id:
        yield "OIDC_CLIENT_ID is not set: set it to the id that the issuer knows these pages by."
    if "openid" not in own.oidc_scope.split():
        yield "OIDC_SCOPE lacks openid, and nobody would be told who signed in: add it."
    secret, client_secret = own.session_secret.get_secret_value(), own.oidc_client_secret.get_secret_value()
    if settings.protected and (fault := session_secret_fault(secret)):
        yield f"SESSION_SECRET is no secret, for {fault}: set it to 32 random characters, `openssl rand -hex 32`."
    elif len(secret) < SHORTEST_SESSION_SECRET:
        yield f"SESSION_SECRET has fewer than {SHORTEST_SESSION_SECRET} characters: set it to as many random ones."
    if settings.protected and client_secret and (is_placeholder(client_secret) or is_published(client_secret)):
        yield "OIDC_CLIENT_SECRET is a placeholder, or published in this repository: set the one that the issuer gave."


def pages(settings: ServiceSettings) -> Iterable[str]:
    """Find what the pages lack."""
    if _host(settings.public_base_url) is None:
        yield "PUBLIC_BASE_URL is no http(s) address: set it to the one origin of the pages."
    if settings.protected and "@" not in settings.support_email:
        yield "SUPPORT_EMAIL is no address: set it to where people send their questions."


def database(settings: ServiceSettings, url: str) -> Iterable[str]:
    """Find whether there is no such database, or one that stands open to everybody who can read this repository."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme.startswith("postgres"):
        yield "DATABASE_URL is no postgresql:// address: set one."
    password = unquote(parts.password or "")
    if settings.protected and password and is_published(password):
        yield "DATABASE_URL has a password that stands in this repository: give the role another one, and set it."


def livemode(settings: ServiceSettings, livemode: bool | None) -> Iterable[str]:
    """Find whether it is unsaid which of Stripe's two modes this deployment is for."""
    if settings.protected and livemode is None:
        yield "STRIPE_LIVEMODE is not set: set it to true where money is real, and to false where it is not."


def stripe(settings: ServiceSettings, own: StripeSettings) -> Iterable[str]:
    """Find what hinders a protected process that calls Stripe, or would have it call with another mode's key."""
    if not settings.protected:
        return
    yield from livemode(settings, own.stripe_livemode)
    yield from _key(own)
    if own.stripe_api_base is not None:
        yield from address("STRIPE_API_BASE", own.stripe_api_base, settings)
        host = _host(own.stripe_api_base)
        if host and not _is_stripes(host) and not _may_be_plain(host, settings):
            yield "STRIPE_API_BASE is not Stripe's: leave it unset, or name a proxy of yours in PLAINTEXT_HOSTS."


def _key(own: StripeSettings) -> Iterable[str]:
    key = own.stripe_secret_key.get_secret_value()
    kinds = "set a secret or restricted key of your Stripe account"
    if not key.strip():
        yield f"STRIPE_SECRET_KEY is not set: {kinds}."
    elif fault := stripe_key_fault(key):
        yield f"STRIPE_SECRET_KEY is no key to use, for {fault}: {kinds}."
    elif own.stripe_livemode is not None and own.stripe_livemode is not _is_live(key):
        mode, other = ("true", "test") if own.stripe_livemode else ("false", "live")
        yield f"STRIPE_LIVEMODE is {mode} and STRIPE_SECRET_KEY a key of {other} mode: set both for one mode."


def _is_live(key: str) -> bool:
    return key.startswith(("sk_live_", "rk_live_"))


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_stripes(host: str) -> bool:
    return host == STRIPE or host.endswith(f".{STRIPE}")


def _may_be_plain(host: str, settings: ServiceSettings) -> bool:
    return host in {name.lower() for name in settings.plaintext_hosts} or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
