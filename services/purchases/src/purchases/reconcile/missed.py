"""What no webhook brought: a counter and a log line each, since where it grows day after day webhooks are lost."""

from typing import Final

from prometheus_client import Counter

from chassis.process.logs import get_logger

log = get_logger(__name__)

MISSED: Final = Counter(
    "billing_sweep_missed_total", "What the ledger took from the sweep, not from a webhook.", ["what"]
)
for found in ("payment", "plan_payment", "refund", "dispute", "subscription"):
    MISSED.labels(found)


def note_missed(what: str, stripe_id: str) -> None:
    """Count and log a payment, the plan's too, refund, dispute or subscription (`what`) that no webhook had brought."""
    MISSED.labels(what).inc()
    log.warning("sweep_missed", what=what, stripe_id=stripe_id)
