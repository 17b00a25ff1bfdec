"""The compose file gives each service what it needs, and nothing that it does not know."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

import catalog.main
import notifier.main.mail_settings
from chassis.process.settings import ServiceSettings
from purchases.settings import Settings as PurchasesSettings
from tests.unit.deploy.compose import OURS, SERVICES, environment, option
from webhook_gateway.settings import BackfillSettings, GatewaySettings
from webhook_gateway.webhook.webhook_secrets import Policy, signing_secrets

SETTINGS: Final[dict[str, type[ServiceSettings]]] = {
    "catalog": catalog.main.Settings,
    "purchases": PurchasesSettings,
    "webhook_gateway": GatewaySettings,
    "notifier": notifier.main.Settings,
}
KINDS: Final[tuple[type[ServiceSettings], ...]] = (*SETTINGS.values(), BackfillSettings)
PRODUCT: Final = [name for name in OURS if SERVICES[name]["command"][0] in SETTINGS]
LISTENS: Final = {
    "kafka": {9092},
    "postgres": {5432},
    "mailpit": {1025, 8025},
    "issuer": {int(option("issuer", "--port"))},
    "stripe-sandbox": {int(option("stripe-sandbox", "--port"))},
}


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment that says nothing yet."""
    fields = {name.upper() for settings in KINDS for name in settings.model_fields}
    for name in fields:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "none"))
    return monkeypatch


def kind_of(name: str) -> type[ServiceSettings]:
    return BackfillSettings if name == "backfill" else SETTINGS[SERVICES[name]["command"][0]]


def settings_of(name: str, passed: pytest.MonkeyPatch) -> ServiceSettings:
    for variable, value in environment(name).items():
        passed.setenv(variable, value)
    return kind_of(name)()


@pytest.mark.parametrize("name", PRODUCT)
def test_every_variable_is_a_setting_of_its_service(name: str) -> None:
    known = {field.upper() for field in kind_of(name).model_fields}

    assert set() == set(environment(name)) - known


@pytest.mark.parametrize("name", PRODUCT)
def test_every_required_setting_is_given_and_valid(name: str, passed: pytest.MonkeyPatch) -> None:
    settings = settings_of(name, passed)

    assert not settings.protected
    assert settings.quittance_instance == "compose"


@pytest.mark.parametrize("name", PRODUCT)
def test_every_value_says_the_same_as_the_setting_that_is_read(name: str, passed: pytest.MonkeyPatch) -> None:
    """No value is silently ignored: each arrives in its field."""
    settings = settings_of(name, passed)

    assert set(environment(name)) <= {field.upper() for field in settings.model_fields_set}


@pytest.mark.parametrize("name", PRODUCT)
def test_every_address_is_one_of_a_container_that_listens_there(name: str, passed: pytest.MonkeyPatch) -> None:
    values = environment(name)
    urls = [
        values[key]
        for key in ("DATABASE_URL", "JWKS_URL", "OIDC_ISSUER_URL", "STRIPE_API_BASE", "SMTP_URL")
        if key in values
    ]
    hosts = [urlsplit(url) for url in (*urls, f"kafka://{values['KAFKA_BOOTSTRAP_SERVERS']}")]

    assert [host.netloc for host in hosts if host.port not in LISTENS.get(str(host.hostname), set())] == []


def test_the_apis_know_who_calls() -> None:
    for name in ("catalog", "purchases-api", "notifier"):
        values = environment(name)
        assert option("issuer", "--issuer") == values["JWT_ISSUER"]
        assert option("issuer", "--audience") == values["JWT_AUDIENCE"]
        assert values["JWKS_URL"].endswith("/.well-known/jwks.json")


def test_the_gateway_takes_what_the_stripe_sandbox_signs_and_nothing_else(passed: pytest.MonkeyPatch) -> None:
    settings = settings_of("webhook-gateway", passed)
    assert isinstance(settings, GatewaySettings)
    signing = signing_secrets(given=settings.given_secrets, protected=settings.protected)

    assert signing.policy == Policy.ENFORCE
    assert (option("stripe-sandbox", "--secret").encode(),) == signing.secrets


@pytest.mark.parametrize("sender", ["stripe-sandbox", "stripe-cli"])
def test_webhooks_go_to_the_gateways_public_port(sender: str) -> None:
    endpoint = option(sender, "--endpoint" if sender == "stripe-sandbox" else "--forward-to")

    assert f"http://webhook-gateway:{environment('webhook-gateway')['HTTP_PORT']}/billing/webhook" == endpoint


def test_the_notifier_can_write_mails(passed: pytest.MonkeyPatch) -> None:
    settings = settings_of("notifier", passed)
    assert isinstance(settings, notifier.main.Settings)

    assert notifier.main.mail_settings.mailer(settings).server.hostname == "mailpit"


def test_every_secret_says_that_it_is_for_development() -> None:
    text = "\n".join(f"{value}" for name in SERVICES for value in environment(name).values())
    secrets = re.findall(r"whsec_\w+|sk_(?:test|live)_\w+|://\w+:([^@\s]+)@", text)

    assert secrets
    assert [secret for secret in secrets if secret and "dev-only" not in secret] == []
    assert re.findall(r"whsec_(?!dev_only)\w+|sk_live\w*|sk_test_(?!quittance_sandbox)\w+", text) == []
    assert "dev-only" in environment("postgres")["POSTGRES_PASSWORD"]


def test_people_sign_in_as_the_client_that_the_issuer_knows_and_come_back_to_the_pages() -> None:
    values = environment("purchases-api")
    known = {name: option("issuer", name) for name in ("--client-id", "--client-secret", "--redirect-uri")}

    assert known == {
        "--client-id": values["OIDC_CLIENT_ID"],
        "--client-secret": values["OIDC_CLIENT_SECRET"],
        "--redirect-uri": f"{values['PUBLIC_BASE_URL']}/session/callback",
    }


def test_a_form_may_lead_to_the_stripe_that_is_used_and_to_nobody_else() -> None:
    targets = environment("purchases-api")["PAGES_FORM_TARGETS"].split(",")

    stripe = {"https://checkout.stripe.com", "https://billing.stripe.com"}
    assert set(targets) == {option("stripe-sandbox", "--public-url"), *stripe}
