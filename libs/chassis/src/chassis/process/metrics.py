"""The metrics that services share, all named `billing_*`; a label's values are few and never an id."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

UNKNOWN: Final = math.nan
"""What a gauge says of what has not happened yet, or cannot be measured: no alert compares with it, and neither a 0 nor
what it said before is taken for how it is now."""


@contextmanager
def unknown_where_it_fails(*gauges: Gauge) -> Iterator[None]:
    """Set `gauges`, which the block measures, to UNKNOWN where it raises; what it raises goes on."""
    try:
        yield
    except Exception:
        for gauge in gauges:
            gauge.set(UNKNOWN)
        raise


CONSUMER_LAG: Final = Gauge(
    "billing_consumer_lag_records",
    "Records on the partition that the group has not committed; exported by the process that reads it.",
    ["group", "topic", "partition"],
)
INBOX_DUPLICATES: Final = Counter(
    "billing_inbox_duplicates_total", "Facts delivered again and dropped by the inbox.", ["consumer"]
)
CONSUMER_STALLED: Final = Gauge(
    "billing_consumer_stalled_seconds",
    "Since when records wait and none is applied; 0 while the consumer gets on.",
    ["consumer"],
)
CONSUMER_STALLS: Final = Counter("billing_consumer_stalls_total", "Times that a consumer stood still.", ["consumer"])
CONSUMER_RESTARTS: Final = Counter(
    "billing_consumer_restarts_total", "Times that a consumer's connection to Kafka was made anew.", ["consumer"]
)
BATCHES_FAILED: Final = Counter(
    "billing_consumer_batches_failed_total", "Batches whose handling failed by a fault of our own.", ["consumer"]
)
FACTS_UNKNOWN: Final = Counter(
    "billing_facts_unknown_total", "Facts of a type or version that this version passes over.", ["consumer", "topic"]
)
FACT_IDS_REUSED: Final = Counter(
    "billing_fact_ids_reused_total", "Facts dropped under an id that had come with another body.", ["consumer"]
)
FACTS_MISSED: Final = Counter(
    "billing_backfill_missed_total",
    "Facts older than two minutes that came first from a backfill: nothing had brought them before.",
    ["consumer"],
)
LOOP_BACKOFFS: Final = Counter(
    "billing_loop_backoffs_total", "Times that a loop met a fault and waits before it tries again.", ["loop", "fault"]
)
LOOP_FAILURES: Final = Counter("billing_loop_failures_total", "Times that a loop raised and was run again.", ["loop"])
PARKED_ITEMS: Final = Gauge(
    "billing_parked_items",
    "Facts set aside, to be re-run or looked at; counted up to 10,000 (max by: replicas share the table).",
    ["consumer"],
)
PRUNED: Final = Counter(
    "billing_pruned_rows_total", "Rows whose time was over: deleted, or emptied of what they said (mails).", ["table"]
)

PRUNED_AT: Final = Gauge(
    "billing_pruned_timestamp_seconds",
    "When the table was last rid of all that is kept no longer, Unix time; NaN before.",
    ["table"],
)

READY: Final = Gauge(
    "billing_ready", "1 while every check that decides passes, 0 while one fails; NaN before the first."
)
READY.set(UNKNOWN)
READY_CHECK: Final = Gauge(
    "billing_ready_check", "1 while this check of /readyz passes, 0 while it fails; NaN before the first.", ["check"]
)
POOL_IN_USE: Final = Gauge("billing_database_pool_in_use", "Connections of the pool that somebody works with.")
POOL_SIZE: Final = Gauge("billing_database_pool_size", "Connections that the pool may have at most.")

OUTBOX_ROWS: Final = Gauge(
    "billing_outbox_rows",
    "Committed facts that Kafka has not confirmed; counted up to 10,000 (max by: replicas share the table).",
)
OUTBOX_OLDEST_AGE: Final = Gauge(
    "billing_outbox_oldest_age_seconds", "Age of the oldest fact in the outbox (max by: replicas share the table)."
)
OUTBOX_REFUSED: Final = Gauge(
    "billing_outbox_refused_facts",
    "Facts that Kafka will never take; they hold up whatever follows under their key (max by: a shared table).",
)
TOPIC_UNDELIVERABLE: Final = Gauge(
    "billing_outbox_topic_undeliverable",
    "1 while a topic takes none of the outbox's facts, which wait for it alone; no series else (max by).",
    ["topic"],
)
RELAY_LEADS: Final = Gauge(
    "billing_relay_leads",
    "1 while this process sends what is in the outbox, 0 while it stands by (sum: 1 by database).",
)
RELAYED: Final = Counter("billing_relay_published_total", "Facts moved from the outbox to Kafka.")

PUBLISHED_NOT_IN_LEDGER: Final = Gauge(
    "billing_published_not_in_ledger",
    "Facts on Kafka that the database had lost when that was found, until they are read back (max by: a shared table).",
)
RECOVERY_SECONDS: Final = Gauge(
    "billing_recovery_seconds",
    "For how long a restored copy of the database is read back, and nothing sold; 0 without (max by: a shared table).",
)
COMPARED_AT: Final = Gauge(
    "billing_published_compared_timestamp_seconds",
    "When the relay that leads last compared what Kafka has with the ledger, Unix time; NaN before.",
)
COMPARED_AT.set(UNKNOWN)

SPANS: Final = Counter(
    "billing_spans_total", "Spans of traces by whether their receiver took them: exported or lost.", ["outcome"]
)
for _outcome in ("exported", "lost"):
    SPANS.labels(_outcome)

HTTP_REQUESTS: Final = Histogram(
    "billing_http_request_duration_seconds",
    "Requests by route template, not path, and the time until the last byte.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
JWKS_FETCH_FAILURES: Final = Counter(
    "billing_jwks_fetch_failures_total", "Times the issuer's keys could not be fetched."
)
JWKS_FETCHED_AT: Final = Gauge(
    "billing_jwks_fetched_timestamp_seconds", "When the issuer's keys were last fetched, Unix time; NaN before that."
)
JWKS_FETCHED_AT.set(UNKNOWN)
ENDED_SESSIONS: Final = Gauge("billing_ended_sessions", "Tokens that are refused because their session ended.")
ENDED_SESSIONS_READ_AT: Final = Gauge(
    "billing_ended_sessions_read_timestamp_seconds", "When all sign-outs were last known here, Unix time; NaN before."
)
ENDED_SESSIONS_READ_AT.set(UNKNOWN)
