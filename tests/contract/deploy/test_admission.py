"""The admission policies know our secrets and our partitions by the code that names them."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import SecretStr
from pydantic_settings import BaseSettings

import catalog
import chassis
import notifier
import purchases
import webhook_gateway
from contracts.topics import ALL_TOPICS
from tests.contract.deploy.workloads import of_kind
from tests.contract.sources import ROOT

POLICIES: Final = ROOT / "deploy" / "k8s" / "policies"


def test_every_secret_setting_is_known_to_the_policy_by_its_name() -> None:
    pattern = _variable("secrets.yaml", "names").strip("'")

    secrets = {name.upper() for settings in _settings() for name in _secret_fields(settings)} | {"DATABASE_URL"}

    assert {"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "SESSION_SECRET", "SMTP_URL"} <= secrets
    assert {name for name in secrets if not re.search(pattern, name)} == set()


def test_no_other_setting_is_taken_for_a_secret() -> None:
    pattern = _variable("secrets.yaml", "names").strip("'")

    plain = {
        name.upper()
        for settings in _settings()
        for name in settings.model_fields
        if name not in _secret_fields(settings) and name != "database_url"
    }

    assert "KAFKA_BOOTSTRAP_SERVERS" in plain
    assert {name for name in plain if re.search(pattern, name)} == set()


def test_no_consumer_may_have_more_replicas_than_its_topics_have_partitions() -> None:
    bound = int(_variable("scaling.yaml", "partitions"))

    assert {topic.partitions for topic in ALL_TOPICS} == {bound}


def test_every_policy_is_bound_and_denies() -> None:
    listed = yaml.safe_load((POLICIES / "kustomization.yaml").read_text())["resources"]

    for name in listed:
        policy, binding = yaml.safe_load_all((POLICIES / name).read_text())
        assert policy["spec"]["failurePolicy"] == "Fail"
        assert binding["spec"]["policyName"] == policy["metadata"]["name"]
        assert binding["spec"]["validationActions"] == ["Deny"]
    assert sorted(listed) == sorted(path.name for path in POLICIES.glob("*.yaml") if path.name != "kustomization.yaml")


def test_no_policy_looks_at_what_another_operator_made() -> None:
    """Strimzi's owner references say `controller: false`; all four know it by the group of its kinds."""
    [condition] = {_condition(path) for path in POLICIES.glob("*.yaml") if path.name != "kustomization.yaml"}
    groups = re.compile(re.search(r"o\.apiVersion\.matches\('(.+?)'\)", condition)[1])  # type: ignore[index]
    owners = {one["apiVersion"] for one in of_kind("production", "Kafka")}

    assert "has(o.controller) && o.controller" in condition
    assert {owner for owner in {*owners, "core.strimzi.io/v1"} if not groups.search(owner)} == set()
    assert not any(
        map(groups.search, ("apps/v1", "v1", "strimzi.io.evil.example/v1", "evil.example/kafka.strimzi.io/"))
    )


def _condition(path: Path) -> str:
    policy, _ = yaml.safe_load_all(path.read_text())
    [condition] = policy["spec"]["matchConditions"]
    assert condition["name"] == "not-owned"
    return str(condition["expression"])


def _variable(file: str, name: str) -> str:
    policy, _ = yaml.safe_load_all((POLICIES / file).read_text())
    found: str = next(each["expression"] for each in policy["spec"]["variables"] if each["name"] == name)
    return found


def _settings() -> Iterator[type[BaseSettings]]:
    """Every class of settings that a service or chassis has."""
    for package in (catalog, chassis, notifier, purchases, webhook_gateway):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" in module.name or module.name.endswith("__main__"):
                continue
            for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if issubclass(found, BaseSettings) and found is not BaseSettings:
                    yield found


def _secret_fields(settings: type[BaseSettings]) -> set[str]:
    return {name for name, field in settings.model_fields.items() if _holds_a_secret(field.annotation)}


def _holds_a_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_holds_a_secret, getattr(annotation, "__args__", ())))
