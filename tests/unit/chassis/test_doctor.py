"""What a protected process refuses, each with a sentence that says what to set and holds no value."""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from chassis.process import doctor
from chassis.process.page_settings import SignInSettings
from chassis.process.settings import ServiceSettings, StripeSettings

MADE = secrets.token_hex(16)


class Settings(ServiceSettings, StripeSettings):
    """Of a process that calls Stripe."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is said from outside."""
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "none"))
    for name in {*Settings.model_fields, *SignInSettings.model_fields}:
        monkeypatch.delenv(name.upper(), raising=False)


def settings(**options: Any) -> Settings:
    sound = {
        "jwt_issuer": "https://issuer.example",
        "jwt_audience": "quittance",
        "jwks_url": "https://issuer.example/jwks.json",
        "support_email": "help@quittance.example",
        "stripe_secret_key": SecretStr(f"rk_live_{MADE}"),
        "stripe_livemode": True,
    }
    return Settings(**{**sound, **options})


def names(findings: Iterable[str]) -> list[str]:
    return [finding.partition(" ")[0] for finding in findings]


def test_a_sound_deployment_is_found_sound() -> None:
    sound = settings()

    assert [*doctor.callers(sound), *doctor.stripe(sound, sound), *doctor.pages(sound)] == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"jwt_issuer": ""}, ["JWT_ISSUER"]),
        ({"jwt_audience": ""}, ["JWT_AUDIENCE"]),
        ({"jwks_url": ""}, ["JWKS_URL"]),
        ({"jwks_url": "issuer.example/jwks.json"}, ["JWKS_URL"]),
        ({"jwks_url": "HTTP://issuer.example/jwks.json"}, ["JWKS_URL"]),
        ({"jwt_issuer": "http://issuer.example"}, ["JWT_ISSUER"]),
        ({"jwt_issuer": "not-a-url"}, []),
        ({"jwks_url": "http://127.0.0.1:8114/jwks.json"}, []),
        ({"jwks_url": "http://[::1]:8114/jwks.json"}, []),
        ({"jwks_url": "http://localhost/jwks.json"}, []),
        ({"jwks_url": "http://localhost.example/jwks.json"}, ["JWKS_URL"]),
        ({"jwks_url": "http://127.0.0.1@issuer.example/"}, ["JWKS_URL"]),
        ({"jwks_url": "http://issuer.mesh/", "plaintext_hosts": "Issuer.Mesh, other"}, []),
        ({"app_env": "local", "jwks_url": "http://issuer.example/"}, []),
        ({"app_env": "local", "jwks_url": ""}, ["JWKS_URL"]),
    ],
)
def test_who_verifies_tokens_needs_the_issuer_over_https(options: dict[str, Any], expected: list[str]) -> None:
    assert expected == names(doctor.callers(settings(**options)))


KEYS = {
    "missing": ("", ["STRIPE_SECRET_KEY"]),
    "blank": ("  ", ["STRIPE_SECRET_KEY"]),
    "the sandbox's": ("sk_test_quittance_sandbox", ["STRIPE_SECRET_KEY"]),
    "a placeholder": ("sk_live_your_key_goes_here", ["STRIPE_SECRET_KEY"]),
    "crosses": ("sk_live_xxxxxxxxxxxxxxxxxxxx", ["STRIPE_SECRET_KEY"]),
    "a publishable one": (f"pk_live_{MADE}", ["STRIPE_SECRET_KEY"]),
    "a webhook secret": (f"whsec_{MADE}", ["STRIPE_SECRET_KEY"]),
    "with a line end": (f"sk_live_{MADE}\n", ["STRIPE_SECRET_KEY"]),
    "with a zero-width space": (f"sk_live_\u200b{MADE}", ["STRIPE_SECRET_KEY"]),
    "of test mode": (f"sk_test_{MADE}", ["STRIPE_LIVEMODE"]),
    "restricted, of test mode": (f"rk_test_{MADE}", ["STRIPE_LIVEMODE"]),
    "live": (f"sk_live_{MADE}", []),
    "restricted, live": (f"rk_live_{MADE}", []),
}


@pytest.mark.parametrize("kind", KEYS)
def test_the_key_is_one_of_this_deployments_mode(kind: str) -> None:
    key, expected = KEYS[kind]
    options = settings(stripe_secret_key=SecretStr(key))

    found = list(doctor.stripe(options, options))

    assert expected == names(found)
    assert MADE not in "".join(found)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"stripe_livemode": None}, ["STRIPE_LIVEMODE"]),
        ({"stripe_livemode": False}, ["STRIPE_LIVEMODE"]),
        ({"stripe_api_base": "http://stripe.internal"}, ["STRIPE_API_BASE", "STRIPE_API_BASE"]),
        ({"stripe_api_base": "https://stripe.example"}, ["STRIPE_API_BASE"]),
        ({"stripe_api_base": "https://api.stripe.com.example"}, ["STRIPE_API_BASE"]),
        ({"stripe_api_base": "https://api.stripe.com"}, []),
        ({"stripe_api_base": "http://api.stripe.com"}, ["STRIPE_API_BASE"]),
        ({"stripe_api_base": "http://127.0.0.1:12111"}, []),
        ({"stripe_api_base": "https://proxy.ours", "plaintext_hosts": "proxy.ours"}, []),
        ({"app_env": "testing", "stripe_secret_key": SecretStr(""), "stripe_livemode": None}, []),
    ],
)
def test_stripe_is_stripe_and_its_mode_is_said(options: dict[str, Any], expected: list[str]) -> None:
    assert expected == names(doctor.stripe(settings(**options), settings(**options)))


def sign_in(**options: Any) -> SignInSettings:
    sound = {
        "oidc_issuer_url": "https://issuer.example",
        "oidc_client_id": "pages",
        "oidc_client_secret": SecretStr("s3cret-of-ours"),
        "session_secret": SecretStr(MADE),
    }
    return SignInSettings(**{**sound, **options})


@pytest.mark.parametrize(
    ("options", "protected", "anywhere"),
    [
        ({}, [], []),
        ({"oidc_issuer_url": "", "session_secret": SecretStr("")}, [], []),
        ({"oidc_client_id": ""}, ["OIDC_CLIENT_ID"], ["OIDC_CLIENT_ID"]),
        ({"oidc_scope": "profile"}, ["OIDC_SCOPE"], ["OIDC_SCOPE"]),
        ({"oidc_issuer_url": "http://issuer.example"}, ["OIDC_ISSUER_URL"], []),
        ({"session_secret": SecretStr("short")}, ["SESSION_SECRET"], ["SESSION_SECRET"]),
        ({"session_secret": SecretStr("x" * 40)}, ["SESSION_SECRET"], []),
        ({"session_secret": SecretStr("sandbox-only-secret-of-the-sessions")}, ["SESSION_SECRET"], []),
        ({"session_secret": SecretStr(f"{MADE[:16]}\u200b{MADE}")}, ["SESSION_SECRET"], []),
        ({"oidc_client_secret": SecretStr("dev-only-client-secret")}, ["OIDC_CLIENT_SECRET"], []),
        ({"oidc_client_secret": SecretStr("")}, [], []),
    ],
    ids=["sound", "nobody", "id", "scope", "http", "short", "crosses", "published", "unseen", "client", "public"],
)
def test_where_people_sign_in_it_is_set_up(options: dict[str, Any], protected: list[str], anywhere: list[str]) -> None:
    assert protected == names(doctor.sign_in(settings(), sign_in(**options)))
    assert anywhere == names(doctor.sign_in(settings(app_env="local"), sign_in(**options)))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://purchases:dev-only-purchases@postgres/purchases", ["DATABASE_URL"]),
        (f"postgresql://purchases:{MADE}@postgres/purchases", []),
        ("postgresql://purchases@postgres/purchases", []),
        ("mysql://postgres/purchases", ["DATABASE_URL"]),
        ("postgresql://[", ["DATABASE_URL"]),
    ],
    ids=["of compose", "ours", "without", "another", "none"],
)
def test_the_database_does_not_stand_open(url: str, expected: list[str]) -> None:
    assert expected == names(doctor.database(settings(), url))


def test_the_pages_say_where_they_are_and_whom_to_ask() -> None:
    options = settings(public_base_url="billing.example", support_email="")

    assert names(doctor.pages(options)) == ["PUBLIC_BASE_URL", "SUPPORT_EMAIL"]
