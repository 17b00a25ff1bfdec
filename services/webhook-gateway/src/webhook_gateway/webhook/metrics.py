"""What the gateway counts: plain integers on the hot path, made into Prometheus metrics only when scraped."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from webhook_gateway.outcomes import NO_TYPE, Outcome
from webhook_gateway.stripe_events.normalisers import NORMALISERS

BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds."""
MOST_TYPES: Final = 400
"""Event types that get a label of their own; Stripe has about 260, and only signed events are counted by type."""


def _from_the_start() -> Iterator[tuple[str, str]]:
    """Yield what is exported as 0: `increase()` misses what makes its series."""
    yield from ((NO_TYPE, outcome.value) for outcome in Outcome)
    for event_type in NORMALISERS:
        yield from ((event_type, one.value) for one in (Outcome.PUBLISHED, Outcome.BROKER_UNAVAILABLE))


class WebhookMetrics(Collector):
    """`billing_webhooks_total{type,outcome}`, `billing_webhook_seconds`, and the three that page somebody."""

    def __init__(self) -> None:
        self.secret_missing = False
        self.secrets_refused = 0
        self.wrong_mode = 0
        """Events of Stripe's other mode that were answered with 200 and dropped: Stripe never sends them again."""
        self.other_account = 0
        """Those of an account that is not ours."""
        self._counts: Counter[tuple[str, str]] = Counter(dict.fromkeys(_from_the_start(), 0))
        self._types: set[str] = set()
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0

    def count(self, *, event_type: str, outcome: str, seconds: float) -> None:
        """Count a request that was answered after `seconds`."""
        self._counts[self._label(event_type), outcome] += 1
        self.wrong_mode += outcome == Outcome.WRONG_MODE
        self.other_account += outcome == Outcome.OTHER_ACCOUNT
        self._buckets[bisect_left(BUCKETS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily | GaugeMetricFamily]:
        """Return the metrics for the registry, at each scrape."""
        webhooks = CounterMetricFamily("billing_webhooks", "Webhook requests answered.", labels=("type", "outcome"))
        for labels, number in self._counts.items():
            webhooks.add_metric(labels, number)
        yield webhooks
        seconds = HistogramMetricFamily("billing_webhook_seconds", "From the request's head to its answer.")
        seconds.add_metric((), self._cumulative(), self._seconds)
        yield seconds
        missing = "1: no usable signing secret, every webhook is answered with 403."
        yield GaugeMetricFamily("billing_webhook_secret_missing", missing, value=int(self.secret_missing))
        refused = "Values of STRIPE_WEBHOOK_SECRETS that are no secret."
        yield GaugeMetricFamily("billing_webhook_secrets_refused", refused, value=self.secrets_refused)
        dropped = "Events of Stripe's other mode, live or test, that were answered with 200 and dropped."
        yield CounterMetricFamily("billing_webhooks_wrong_mode", dropped, value=self.wrong_mode)

    def _label(self, event_type: str) -> str:
        if event_type not in self._types:
            if len(self._types) >= MOST_TYPES:
                return "other"
            self._types.add(event_type)
        return event_type

    def _cumulative(self) -> list[tuple[str, float]]:
        bounds = [*map(str, BUCKETS), "+Inf"]
        return list(zip(bounds, accumulate(self._buckets), strict=True))
