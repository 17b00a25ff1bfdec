"""A value of a label in a rule, a case of promtool or a runbook is one that a process of ours exports."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from catalog.consumer import GROUP as CATALOG
from chassis.outbox.pruning import parked_of
from notifier.consumer import GROUP as NOTIFIER
from purchases.batch.context import AGE
from purchases.batch.context import CONSUMER as PURCHASES
from purchases.reconcile.missed import MISSED
from purchases.stripe_api.client import CALLS
from purchases.worker.gauges import KINDS_OF_MONEY, SWEEP_AGE
from purchases.worker.run_jobs import OUTCOMES
from tests.alerts.cases import CASES, FRESH, PROCESSES, QUIET
from tests.alerts.rules import ALERTS, OBSERVABILITY, RECORDED, ROOT
from tests.contract.docs.code import trees
from webhook_gateway.outcomes import Outcome
from webhook_gateway.stripe_events.normalisers import NORMALISERS
from webhook_gateway.webhook.metrics import BUCKETS

SELECTOR: Final = re.compile(r"\b([a-z][\w]*)\{([^{}]*)\}")
MATCHER: Final = re.compile(r'(\w+)(=~|=|!=|!~)"([^"]*)"')
OF_NOBODY: Final = {"job", "instance", "topic", "partition", "pod", "datname", "name", "cronjob"}
"""Not chosen in code: of a scrape or of Kafka, or another exporter's."""


class Matched(NamedTuple):
    """A label's value as somebody wrote it by hand."""

    metric: str
    label: str
    value: str


def exported(metric: MetricWrapperBase, label: str) -> set[str]:
    return {sample.labels[label] for family in metric.collect() for sample in family.samples if label in sample.labels}


def named_first(*functions: str) -> set[str]:
    """Return the literal texts with which one of `functions` is called first: loops, or checks."""
    return {
        str(call.args[0].value)
        for _, tree in trees()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant)
        if getattr(call.func, "attr", getattr(call.func, "id", None)) in functions
    }


GROUPS: Final = {CATALOG, NOTIFIER, PURCHASES}
STATUSES: Final = {str(status) for status in range(100, 600)}
KNOWN: Final[Mapping[tuple[str, str], set[str]]] = {
    ("billing_webhooks_total", "outcome"): {str(outcome) for outcome in Outcome},
    ("billing_webhooks_total", "type"): set(NORMALISERS),
    ("billing_webhook_seconds_bucket", "le"): {str(bound) for bound in BUCKETS},
    ("billing_stripe_fact_age_seconds_bucket", "le"): exported(AGE, "le"),
    ("billing_stripe_calls_total", "outcome"): exported(CALLS, "outcome"),
    ("billing_sweep_missed_total", "what"): exported(MISSED, "what"),
    ("billing_sweep_age_seconds", "reach"): exported(SWEEP_AGE, "reach"),
    ("billing_undecided_money_items", "kind"): set(KINDS_OF_MONEY),
    ("billing_undecided_money_oldest_age_seconds", "kind"): set(KINDS_OF_MONEY),
    ("billing_ready_check", "check"): named_first("check"),
    ("billing_loop_failures_total", "loop"): named_first("background", "counts_back_offs"),
    ("billing_loop_backoffs_total", "loop"): named_first("background", "counts_back_offs"),
    ("billing_http_request_duration_seconds_count", "status"): STATUSES,
    ("billing_consumer_lag_records", "group"): GROUPS,
    ("billing_stripe_commands_total", "outcome"): exported(OUTCOMES, "outcome"),
    ("billing_pruned_timestamp_seconds", "table"): set(parked_of(CATALOG)),
    ("up", "service"): set(PROCESSES),
    **{
        (metric, "consumer"): GROUPS
        for metric in (
            "billing_parked_items",
            "billing_consumer_stalled_seconds",
            "billing_consumer_batches_failed_total",
            "billing_facts_unknown_total",
            "billing_backfill_missed_total",
        )
    },
}


def matched(text: str) -> Iterator[Matched]:
    """Yield each value of a selector, of a regular expression each alternative."""
    for metric, labels in SELECTOR.findall(text):
        for label, how, value in MATCHER.findall(labels):
            alternatives = value.split("|") if "~" in how else [re.escape(value)]
            yield from (Matched(metric, label, one) for one in alternatives)


def unknown(text: str) -> set[Matched]:
    return {
        one
        for one in matched(text)
        if one.label not in OF_NOBODY and not (one.label == "service" and one.metric != "up")
        if not any(re.fullmatch(one.value, known) for known in KNOWN.get(one[:2], ()))
    }


@pytest.mark.parametrize("name", [*ALERTS, *RECORDED])
def test_a_rule_asks_for_values_that_are_exported(name: str) -> None:
    assert unknown({**ALERTS, **RECORDED}[name]["expr"]) == set()


def test_promtool_is_given_values_that_are_exported() -> None:
    given = [*FRESH, *(name for case in CASES for name in case.different), *(name for row in QUIET for name in row[1])]

    assert unknown("\n".join(given)) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "docs/runbooks").glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_names_values_that_are_exported(path: Path) -> None:
    text = path.read_text()
    signatures = set(re.findall(r"`(signature-[a-z]+)`", text))

    assert unknown(text) == set()
    assert signatures <= {str(outcome) for outcome in Outcome}


def test_an_absent_process_is_named_wherever_one_is_deployed() -> None:
    """Of compose's scrape and of Kubernetes' Deployments each name, and no other."""
    (job,) = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())["scrape_configs"]
    scraped = {target.partition(":")[0] for target in job["static_configs"][0]["targets"]}
    deployed = {
        one["metadata"]["name"]
        for path in (ROOT / "deploy/k8s/base").glob("*/*.yaml")
        for one in yaml.safe_load_all(path.read_text())
        if one and one["kind"] == "Deployment" and path.parent.name != "every"
    }
    absent = set(re.findall(r'absent\(up\{job="quittance", service="([\w-]+)"\}\)', ALERTS["ProcessDown"]["expr"]))

    assert absent == set(PROCESSES) == scraped == deployed
