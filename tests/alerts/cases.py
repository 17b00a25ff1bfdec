"""CASES: of each alert, what makes it fire; on top of what a process shows that has just been started."""

from collections.abc import Mapping
from typing import Final, NamedTuple

LONG: Final = 4_400
"""Minutes: a little more than the longest window of a rule, three days."""
NEVER: Final = " ".join(["NaN"] * LONG)
NOTHING: Final = f"0x{LONG}"
FINE: Final = f"1x{LONG}"
NOW: Final = f"0+60x{LONG}"
"""A time that moves on: read at every scrape."""
LABELS: Final = 'job="quittance",service="s",instance="i"'


def series(name: str, /, **labels: str) -> str:
    """Return a series of one process."""
    pairs = ",".join([LABELS, *(f'{label}="{value}"' for label, value in labels.items())])
    return f"{name}{{{pairs}}}"


def webhooks(outcome: str) -> str:
    """Return the counter of webhooks that ended so."""
    return series("billing_webhooks_total", outcome=outcome, type="invoice.paid")


def calls(outcome: str) -> str:
    """Return the counter of calls to Stripe that ended so."""
    return series("billing_stripe_calls_total", outcome=outcome)


def waiting(kind: str, what: str) -> str:
    """Return the gauge of undecided money."""
    return series(f"billing_undecided_money_{what}", kind=kind)


def up(service: str) -> str:
    """Return what Prometheus says of its scrapes of a service."""
    return f'up{{job="quittance",service="{service}",instance="i"}}'


PROCESSES: Final = (
    "catalog",
    "catalog-relay",
    "purchases-api",
    "purchases-worker",
    "purchases-relay",
    "webhook-gateway",
    "notifier",
)
"""What is scraped, by its label `service`."""
AGE: Final = "oldest_age_seconds"
BACKFILLED_AT: Final = 'kube_cronjob_status_last_successful_time{cronjob="webhook-gateway-backfill"}'
"""Of kube-state-metrics; in seconds since 1970, as is the time in promtool's tests."""
KINDS: Final = ("payment", "fact", "command", "refund", "purchase")
OUTCOMES: Final = ("published", "broker-unavailable", "failed", "no-secret", "signature-mismatch", "body-too-slow")
REACHES: Final = ("hour", "day", "month")
ENDINGS: Final = ("ok", "unreachable", "server_error", "key_refused", "rate_limited")
FRESH: Final[Mapping[str, str]] = {
    **{up(name): FINE for name in PROCESSES},
    series("billing_ready"): f"NaN {FINE}",
    series("billing_ready_check", check="database"): f"NaN {FINE}",
    series("billing_ready_check", check="broker"): f"NaN {FINE}",
    series("billing_stripe_paid_not_in_ledger"): f"NaN {NOTHING}",
    **{waiting(kind, AGE): f"NaN {NOTHING}" for kind in KINDS},
    **{waiting(kind, "items"): f"NaN {NOTHING}" for kind in KINDS},
    series("billing_stripe_commands_overdue_seconds"): f"NaN {NOTHING}",
    series("billing_stripe_commands_unknown"): NOTHING,
    series("billing_parked_items", consumer="purchases"): NOTHING,
    series("billing_sweep_missed_total", what="payment"): NOTHING,
    **{series("billing_sweep_age_seconds", reach=reach): f"NaN {NOTHING}" for reach in REACHES},
    series("billing_backfill_missed_total", consumer="purchases"): NOTHING,
    series("billing_stripe_events_unapplied_oldest_age_seconds"): f"NaN {NOTHING}",
    **{webhooks(outcome): NOTHING for outcome in OUTCOMES},
    series("billing_webhook_seconds_bucket", le="5.0"): NOTHING,
    series("billing_webhook_seconds_count"): NOTHING,
    series("billing_webhook_secret_missing"): NOTHING,
    series("billing_webhook_secrets_refused"): NOTHING,
    series("billing_webhooks_wrong_mode_total"): NOTHING,
    series("billing_stripe_fact_age_seconds_bucket", le="300.0"): NOTHING,
    series("billing_stripe_fact_age_seconds_count"): NOTHING,
    series("billing_consumer_stalled_seconds", consumer="purchases"): NOTHING,
    series("billing_consumer_lag_records", group="purchases", topic="t", partition="0"): NOTHING,
    series("billing_consumer_batches_failed_total", consumer="purchases"): NOTHING,
    series("billing_facts_unknown_total", consumer="purchases", topic="t"): NOTHING,
    series("billing_outbox_oldest_age_seconds"): NOTHING,
    series("billing_outbox_refused_facts"): NOTHING,
    series("billing_recovery_seconds"): NOTHING,
    series("billing_mail_server_up"): NEVER,
    series("billing_mail_oldest_unsent_seconds"): NOTHING,
    series("billing_mails_parked"): NOTHING,
    **{calls(ending): NOTHING for ending in ENDINGS},
    series("billing_stripe_rate_limited_total"): NOTHING,
    series("billing_card_testing_brake"): NOTHING,
    series("billing_database_pool_in_use"): NOTHING,
    series("billing_database_pool_size"): f"10x{LONG}",
    series("billing_http_request_duration_seconds_count", status="200"): NOTHING,
    series("billing_http_request_duration_seconds_count", status="503"): NOTHING,
    series("billing_loop_failures_total", loop="relay"): NOTHING,
    series("billing_jwks_fetched_timestamp_seconds"): NEVER,
    series("billing_jwks_fetch_failures_total"): NOTHING,
    series("billing_ended_sessions_read_timestamp_seconds"): f"NaN {NOW}",
    series("billing_pruned_timestamp_seconds", table="parked"): f"NaN {NOW}",
}


class Case(NamedTuple):
    """What is different while `alert` fires, after `minutes` and not before; `also` fires rightly with it."""

    alert: str
    different: Mapping[str, str]
    minutes: int = 30
    also: tuple[str, ...] = ()


STEADY: Final = f"0+100x{LONG}"
"""A counter of something that goes on, and well."""
A_FEW: Final = f"0+1x{LONG}"
HOUR: Final = f"3600x{LONG}"
GONE: Final = f"1 1 _x{LONG}"
"""A series that is not scraped any more."""
ONCE: Final = f"0 0 1x{LONG}"

CASES: Final = (
    Case("PaidAtStripeNotInLedger", {series("billing_stripe_paid_not_in_ledger"): FINE}),
    *(Case("UndecidedMoneyOld", {waiting(kind, AGE): f"90000x{LONG}"}) for kind in KINDS if kind != "purchase"),
    Case("PurchasePendingTooLong", {waiting("purchase", AGE): HOUR}),
    Case("JobsGivenUp", {waiting("command", "items"): FINE}),
    Case("JobsOverdue", {series("billing_stripe_commands_overdue_seconds"): HOUR}),
    Case("JobsOfUnknownKind", {series("billing_stripe_commands_unknown"): FINE}),
    Case("ParkedItems", {series("billing_parked_items", consumer="purchases"): FINE}),
    Case("WebhooksMissed", {series("billing_sweep_missed_total", what="payment"): ONCE}),
    Case("SweepStale", {series("billing_sweep_age_seconds", reach="hour"): f"3601x{LONG}"}),
    Case("SweepStale", {series("billing_sweep_age_seconds", reach="day"): f"14401x{LONG}"}),
    Case("SweepStale", {series("billing_sweep_age_seconds", reach="month"): f"129601x{LONG}"}),
    Case("StripeEventsUnapplied", {series("billing_stripe_events_unapplied_oldest_age_seconds"): HOUR}),
    Case("BackfillFoundMissed", {series("billing_backfill_missed_total", consumer="purchases"): ONCE}),
    Case(
        "BackfillStandsStill",
        {'kube_cronjob_status_last_successful_time{cronjob="webhook-gateway-backfill"}': NOTHING},
        minutes=90,
    ),
    Case(
        "WebhookErrorBudgetBurnsFast",
        {webhooks("published"): STEADY, webhooks("broker-unavailable"): f"0+2x{LONG}"},
        also=("WebhookErrorBudgetBurnsSlowly",),
    ),
    Case(
        "WebhookErrorBudgetBurnsSlowly",
        {webhooks("published"): f"0+1000x{LONG}", webhooks("failed"): A_FEW},
        minutes=LONG - 10,
    ),
    Case(
        "WebhookErrorBudgetBurnsSlowly",
        {
            webhooks("published"): f"0+1000x{LONG}",
            series("billing_webhook_seconds_count"): f"0+1000x{LONG}",
            series("billing_webhook_seconds_bucket", le="5.0"): f"0+999x{LONG}",
        },
        minutes=LONG - 10,
    ),
    Case(
        "WebhooksSlow",
        {
            series("billing_webhook_seconds_count"): STEADY,
            series("billing_webhook_seconds_bucket", le="5.0"): f"0+90x{LONG}",
            webhooks("published"): STEADY,
        },
        also=("WebhookErrorBudgetBurnsFast", "WebhookErrorBudgetBurnsSlowly"),
    ),
    Case("WebhookSignaturesRefused", {webhooks("published"): STEADY, webhooks("signature-mismatch"): A_FEW}),
    Case("WebhookSecretMissing", {series("billing_webhook_secret_missing"): FINE}),
    Case("WebhookSecretMissing", {series("billing_webhook_secrets_refused"): FINE}),
    Case("WebhookWrongMode", {series("billing_webhooks_wrong_mode_total"): ONCE}),
    Case(
        "StripeFactsLate",
        {
            series("billing_stripe_fact_age_seconds_count"): STEADY,
            series("billing_stripe_fact_age_seconds_bucket", le="300.0"): f"0+40x{LONG}",
        },
    ),
    Case("ConsumerStandsStill", {series("billing_consumer_stalled_seconds", consumer="purchases"): HOUR}),
    Case(
        "ConsumerLagging",
        {series("billing_consumer_lag_records", group="purchases", topic="t", partition="0"): f"2000x{LONG}"},
    ),
    Case("ConsumerFailsBatches", {series("billing_consumer_batches_failed_total", consumer="purchases"): A_FEW}),
    Case("FactsUnknown", {series("billing_facts_unknown_total", consumer="purchases", topic="t"): ONCE}),
    Case("OutboxBacklog", {series("billing_outbox_oldest_age_seconds"): HOUR}),
    Case("OutboxFactRefused", {series("billing_outbox_refused_facts"): FINE}),
    Case("RestoredCopyNotReadBack", {series("billing_recovery_seconds"): HOUR}),
    Case("MailServerDown", {series("billing_mail_server_up"): NOTHING}),
    Case("MailsWaiting", {series("billing_mail_server_up"): FINE, series("billing_mail_oldest_unsent_seconds"): HOUR}),
    Case("MailsParked", {series("billing_mails_parked"): FINE}),
    *(
        Case("StripeUnavailable", {calls("ok"): A_FEW, calls(ending): A_FEW})
        for ending in ("unreachable", "server_error")
    ),
    Case("StripeRateLimited", {series("billing_stripe_rate_limited_total"): STEADY}),
    Case("StripeKeyRefused", {calls("key_refused"): A_FEW}),
    Case("CardTestingBrake", {series("billing_card_testing_brake"): FINE}),
    Case("DatabaseUnreachable", {series("billing_ready_check", check="database"): NOTHING}),
    Case("DatabasePoolExhausted", {series("billing_database_pool_in_use"): f"10x{LONG}"}),
    Case(
        "DatabaseConnectionsNearLimit",
        {
            series("pg_stat_database_numbackends", datname="purchases"): f"90x{LONG}",
            series("pg_settings_max_connections"): f"100x{LONG}",
        },
    ),
    Case(
        "DatabaseConnectionsNearLimit",
        {
            series("cnpg_backends_total", pod="postgres-1"): f"90x{LONG}",
            series("cnpg_pg_settings_setting", pod="postgres-1", name="max_connections"): f"100x{LONG}",
        },
    ),
    *(
        Case("DatabaseReplicationLag", {series(name): HOUR})
        for name in ("pg_replication_lag", "pg_replication_lag_seconds", "cnpg_pg_replication_lag")
    ),
    *(Case("ProcessDown", {up(name): values}) for name in PROCESSES for values in (NOTHING, GONE)),
    Case("ProcessNotReady", {series("billing_ready"): NOTHING}),
    Case("KafkaUnreachable", {series("billing_ready_check", check="broker"): NOTHING}),
    Case(
        "ApiErrors",
        {
            series("billing_http_request_duration_seconds_count", status="200"): STEADY,
            series("billing_http_request_duration_seconds_count", status="503"): f"0+10x{LONG}",
        },
    ),
    Case("LoopsFailing", {series("billing_loop_failures_total", loop="relay"): f"0x20 1x{LONG}"}),
    Case(
        "IssuerKeysOld",
        {
            series("billing_jwks_fetched_timestamp_seconds"): NOTHING,
            series("billing_jwks_fetch_failures_total"): A_FEW,
        },
        minutes=90,
    ),
    Case("SignOutsUnread", {series("billing_ended_sessions_read_timestamp_seconds"): NOTHING}),
    Case("RetentionStandsStill", {series("billing_pruned_timestamp_seconds", table="parked"): NOTHING}, minutes=500),
    Case("RetentionStandsStill", {series("billing_pruned_timestamp_seconds", table="parked"): NEVER}, minutes=500),
)

QUIET: Final = (
    (
        "senders whose bodies come too slowly",
        {
            webhooks("published"): STEADY,
            webhooks("body-too-slow"): f"0+10x{LONG}",
            series("billing_webhook_seconds_count"): f"0+110x{LONG}",
            series("billing_webhook_seconds_bucket", le="5.0"): STEADY,
        },
        300,
    ),
    ("no first pruning yet", {series("billing_pruned_timestamp_seconds", table="parked"): NEVER}, 300),
    (
        "a pruning that failed at the start and went well later",
        {series("billing_pruned_timestamp_seconds", table="parked"): f"{'NaN ' * 120}{NOW}"},
        500,
    ),
)
"""What somebody could take for a cause, and how many minutes it lasts: nothing fires."""
