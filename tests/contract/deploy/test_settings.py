"""Each process is given what it reads, under names that it knows; secrets are files of Secrets that somebody makes."""

import base64
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr

import catalog.main.doctor
import notifier.main.doctor
import purchases.main.doctor
from chassis.process.settings import ServiceSettings
from tests.contract.deploy.generated import ROOT
from tests.contract.deploy.rendering import OVERLAYS
from tests.contract.deploy.workloads import DEPLOYMENTS, PROTECTED, WORKLOADS, Workload, objects, of_kind
from tests.contract.docs.tables import SETTINGS
from tests.stack.authority import Authority
from webhook_gateway.doctor import findings as of_gateway
from webhook_gateway.doctor import unusable_secrets
from webhook_gateway.settings import GatewaySettings
from webhook_gateway.webhook.webhook_secrets import signing_secrets

LIBRARIES: Final = frozenset({"PGSSLMODE", "PGSSLROOTCERT"})
"""Variables that asyncpg reads for itself."""
MADE: Final = secrets.token_hex(24)
KAFKAS: Final = "/run/kafka"
"""Where Strimzi's certificates are mounted."""
MADE_BY_OPERATORS: Final[Mapping[str, frozenset[str]]] = {
    "quittance-cluster-ca-cert": frozenset({"ca.crt"}),
    "postgres-ca": frozenset({"ca.crt"}),
}
"""Secrets of the authorities that Strimzi and CloudNativePG make themselves."""
USERS: Final = {"tls": frozenset({"user.crt", "user.key"}), "scram-sha-512": frozenset({"password"})}
"""What Strimzi puts into the Secret of a user, by how it signs in."""


def sound(name: str, overlay: str) -> str:
    """A value that a secret of this name may have."""
    mode = "live" if overlay == "production" else "test"
    return {
        "DATABASE_URL": "postgresql://any:vjR9pQw2nX7c@postgres-pooler:5432/any",
        "STRIPE_SECRET_KEY": f"rk_{mode}_51{MADE}",
        "STRIPE_WEBHOOK_SECRETS": f"whsec_{MADE}",
        "OIDC_CLIENT_SECRET": MADE,
        "SESSION_SECRET": MADE,
        "SMTP_URL": "smtp://quittance:q8Zt4Lw2@mail.quittance.example:587",
    }[name]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Strimzi would have put there: an authority's certificate, ours and its key."""
    directory = tmp_path_factory.mktemp("kafka")
    Authority(directory, "ca").signed("user")
    return directory


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certificates: Path) -> Callable[[Workload], Any]:
    """Reads the settings of a workload's process as it would, with sound secrets."""

    def read(workload: Workload) -> Any:
        for name in {field.upper() for kind in SETTINGS.values() for field in kind.model_fields} & set(os.environ):
            monkeypatch.delenv(name)
        for name, value in workload.environment().items():
            monkeypatch.setenv(name, value.replace(KAFKAS, str(certificates)))
        for name in workload.secret_settings():
            (tmp_path / name).write_text(sound(name, workload.overlay))
        monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
        return kind_of(workload)()

    return read


def kind_of(workload: Workload) -> type[ServiceSettings]:
    if workload.component == "topics":
        return ServiceSettings
    return (
        SETTINGS[f"{workload.service}-{workload.component}"]
        if workload.component == "backfill"
        else SETTINGS[workload.service]
    )


def findings(workload: Workload, settings: Any) -> Iterable[str]:
    """What the doctor of the process says of its settings."""
    if isinstance(settings, GatewaySettings):
        signing = signing_secrets(given=settings.given_secrets, protected=settings.protected)
        return [*unusable_secrets(signing), *of_gateway(settings, signing)]
    if workload.service == "notifier":
        return notifier.main.doctor.findings(settings)
    doctors: Any = {"catalog": catalog.main.doctor, "purchases": purchases.main.doctor}[workload.service]
    words = workload.process["args"][1:]
    found: Iterable[str] = doctors.FINDINGS[words[0] if words else "serve"](settings)
    return found


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_every_name_is_a_setting_that_its_process_knows(workload: Workload) -> None:
    known = {field.upper() for field in kind_of(workload).model_fields} | LIBRARIES

    assert set(workload.environment()) - known == set()
    assert set(workload.secret_settings()) - known == set()


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_every_setting_without_a_default_is_given_and_none_is_of_this_machine(
    workload: Workload, settings_of: Callable[[Workload], Any]
) -> None:
    settings = settings_of(workload)
    used = _used_by(workload)
    here = {
        name.upper()
        for name, field in type(settings).model_fields.items()
        if name in used and any(word in _plain(field.default) for word in ("127.0.0.1", "localhost"))
    }

    assert here - set(workload.environment()) - set(workload.secret_settings()) == set()
    assert settings.quittance_instance != "local"


def _used_by(workload: Workload) -> set[str]:
    """The settings with an address that this process goes by; a job needs no mail server."""
    names = {"kafka_bootstrap_servers", "public_base_url"}
    return names | {"smtp_url"} if workload.kind == "Deployment" else names


def _plain(value: Any) -> str:
    return str(value.get_secret_value() if isinstance(value, SecretStr) else value)


@pytest.mark.parametrize("workload", DEPLOYMENTS, ids=str)
def test_the_doctor_of_the_process_finds_nothing_wrong(
    workload: Workload, settings_of: Callable[[Workload], Any]
) -> None:
    settings = settings_of(workload)

    assert list(findings(workload, settings)) == []
    assert settings.protected is (workload.overlay != "local")


@pytest.mark.parametrize("workload", [one for one in DEPLOYMENTS if one.overlay in PROTECTED], ids=str)
def test_no_setting_of_a_deployment_is_spare(workload: Workload, settings_of: Callable[[Workload], Any]) -> None:
    """Each that is given arrives in a field: no value is silently ignored."""
    arrived = {name.upper() for name in settings_of(workload).model_fields_set}

    assert {*workload.environment(), *workload.secret_settings()} - LIBRARIES - arrived == set()


def test_the_gateway_that_serves_has_no_key_of_stripes_and_its_backfill_nothing_of_the_endpoints() -> None:
    """The process that the Internet reaches can sell nothing and refund nothing."""
    of_gateway = [one for one in WORKLOADS if one.service == "webhook-gateway"]
    secrets_of = {one.component: set(one.secret_settings()) for one in of_gateway}

    assert secrets_of == {"gateway": {"STRIPE_WEBHOOK_SECRETS"}, "backfill": {"STRIPE_SECRET_KEY"}}
    assert "stripe_secret_key" not in GatewaySettings.model_fields


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_no_secret_stands_in_a_manifest(workload: Workload) -> None:
    secret = {
        name.upper()
        for kind in SETTINGS.values()
        for name, field in kind.model_fields.items()
        if field.annotation is SecretStr or "secret" in name or name == "database_url"
    }

    assert secret & set(workload.environment()) == set()
    assert all("valueFrom" not in one for one in workload.process.get("env", []))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_secret_that_is_committed_is_a_developers(overlay: str) -> None:
    """What docker-compose.yml has too: published, and so refused by each process of a protected deployment."""
    committed = [
        base64.b64decode(value).decode() for one in of_kind(overlay, "Secret") for value in one["data"].values()
    ]
    published = (ROOT / "docker-compose.yml").read_text()

    assert (committed == []) is (overlay != "local")
    assert [value for value in committed if value not in published] == []


@pytest.mark.parametrize("workload", [one for one in WORKLOADS if one.overlay in PROTECTED], ids=str)
def test_who_has_a_database_has_the_authority_that_its_certificate_is_verified_by(workload: Workload) -> None:
    values = workload.environment()
    mounted = {path: secret for secret, _, path in workload.secrets()}

    assert values["PGSSLMODE"] == "verify-full"
    assert (values["PGSSLROOTCERT"] in mounted) is ("DATABASE_URL" in workload.secret_settings())


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_every_key_of_a_secret_that_is_mounted_is_one_that_something_makes(workload: Workload) -> None:
    """The store's secrets, the users that Strimzi makes, the authorities of the operators; and nothing beside."""
    made = keys_made(workload.overlay)
    missing = [(secret, key) for secret, key, _ in workload.secrets() if key not in made.get(secret, frozenset())]

    assert missing == []


@pytest.mark.parametrize("overlay", PROTECTED)
def test_every_secret_that_another_object_names_is_made_too(overlay: str) -> None:
    made = keys_made(overlay)
    roles = [
        role["passwordSecret"]["name"]
        for one in of_kind(overlay, "Cluster")
        for role in one["spec"]["managed"]["roles"]
    ]
    keys = [
        (one["name"], one["key"])
        for auth in of_kind(overlay, "TriggerAuthentication")
        for one in auth["spec"]["secretTargetRef"]
    ]
    store = [one["spec"]["backup"]["barmanObjectStore"]["s3Credentials"] for one in of_kind(overlay, "Cluster")]
    keys += [(one["name"], one["key"]) for credentials in store for one in credentials.values()]

    assert [name for name in roles if not {"username", "password"} <= made.get(name, frozenset())] == []
    assert [pair for pair in keys if pair[1] not in made.get(pair[0], frozenset())] == []


@pytest.mark.parametrize("overlay", PROTECTED)
def test_every_secret_of_the_store_is_used(overlay: str) -> None:
    text = str([one for one in objects(overlay) if one["kind"] != "ExternalSecret"])

    assert [one for one in of_kind(overlay, "ExternalSecret") if repr(one["spec"]["target"]["name"]) not in text] == []


def keys_made(overlay: str) -> dict[str, frozenset[str]]:
    """Return each Secret that something in the cluster makes, with its keys."""
    made = {one["metadata"]["name"]: frozenset(one["data"]) for one in of_kind(overlay, "Secret")}
    made |= MADE_BY_OPERATORS if overlay in PROTECTED else {}
    for one in of_kind(overlay, "KafkaUser"):
        made[one["metadata"]["name"]] = USERS[one["spec"]["authentication"]["type"]]
    for one in of_kind(overlay, "ExternalSecret"):
        target = one["spec"]["target"]
        template = target.get("template", {}).get("data")
        made[target["name"]] = frozenset(template or (item["secretKey"] for item in one["spec"]["data"]))
    return made
