"""What the running processes show at /metrics: every metric of the list, and counters that exist from the start."""

import asyncio
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from purchases.ledger.transitions import TRANSITIONS
from sandbox.processes import SERVICES
from sandbox.stack import EmbeddedStack
from tests.contract.docs.code import metrics
from webhook_gateway.outcomes import Outcome

Samples = dict[str, list[dict[str, str]]]
BY_USE: Final = {
    "billing_http_request_duration_seconds",
    "billing_mail_seconds",
    "billing_outbox_topic_undeliverable",
    "billing_stripe_refusals_total",
}
"""Their labels are of what came: a request's route and status, a letter that was sent, a topic that takes nothing,
Stripe's code."""


async def samples(stack: EmbeddedStack) -> Samples:
    """Return the labels of every series of all processes, by the sample's name."""
    found: Samples = {}
    async with httpx.AsyncClient(trust_env=False) as client:
        urls = [f"{stack.operations_url(service.name)}/metrics" for service in SERVICES]
        for answer in await asyncio.gather(*map(client.get, urls)):
            for family in text_string_to_metric_families(answer.text):
                for sample in family.samples:
                    found.setdefault(sample.name, []).append(sample.labels)
    return found


async def test_every_metric_of_the_list_is_exported_by_some_process(stack: EmbeddedStack) -> None:
    found = await samples(stack)
    suffix = {"histogram": "_count"}
    expected = {metric.name + suffix.get(metric.kind, "") for metric in metrics() if metric.name not in BY_USE}

    assert expected - set(found) == set()


async def test_counters_with_labels_exist_before_what_they_count(stack: EmbeddedStack) -> None:
    """`increase()` sees a counter's first step only from a 0 that was scraped."""
    found = await samples(stack)

    counters = [metric for metric in metrics() if metric.kind == "counter" and metric.name not in BY_USE]
    assert [metric.name for metric in counters if not found.get(metric.name)] == []
    outcomes = {labels["outcome"] for labels in found["billing_webhooks_total"]}
    assert outcomes >= {outcome.value for outcome in Outcome}
    kinds = {(labels["kind"], labels["outcome"]) for labels in found["billing_stripe_commands_total"]}
    assert {outcome for _, outcome in kinds} >= {"done", "later", "postponed", "parked"}
    moves = {(labels["from_status"], labels["trigger"]) for labels in found["billing_purchase_transitions_total"]}
    assert moves >= {(before.value, trigger.value) for before, trigger in TRANSITIONS}
    backoffs = {(labels["loop"], labels["fault"]) for labels in found["billing_loop_backoffs_total"]}
    assert {loop for loop, fault in backoffs if fault == "contention"} >= {"consumer", "relay", "stripe-commands"}
