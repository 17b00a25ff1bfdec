"""What the notifier counts; labels are letters and outcomes, never addresses."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from chassis.process.metrics import UNKNOWN

MAILS: Final = Counter("billing_mails_total", "Attempts to send a mail, by what came of them.", ["letter", "outcome"])
OUTCOMES: Final = ("sent", "paused", "deferred", "unknown", "parked")
MAIL_SECONDS: Final = Histogram(
    "billing_mail_seconds",
    "From the mail's row to the mail server's acceptance.",
    ["letter"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600),
)
OLDEST_UNSENT: Final = Gauge(
    "billing_mail_oldest_unsent_seconds",
    "Age of the oldest mail that waits to be sent (max by: replicas share the table).",
)
PARKED: Final = Gauge(
    "billing_mails_parked",
    "Mails set aside until an operator looks at them; counted up to 10,000 (max by: replicas share the table).",
)
SERVER_UP: Final = Gauge(
    "billing_mail_server_up", "1 while the mail server takes mails, 0 while sending is paused, NaN before the first."
)
SERVER_UP.set(UNKNOWN)


def export_from_the_start(letters: Iterable[str]) -> None:
    """Export a 0 for each letter and outcome: `increase()` does not see a first event that also makes the series."""
    for letter in letters:
        for outcome in OUTCOMES:
            MAILS.labels(letter, outcome)
