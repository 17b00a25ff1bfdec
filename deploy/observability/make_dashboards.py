"""Writes Grafana's dashboards from DASHBOARDS: `make docs` runs it, and a test holds the files to it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

HERE: Final = Path(__file__).parent / "dashboards"
SCHEMA: Final = 39
"""Of Grafana 11; later ones migrate it when they read it."""
WIDE: Final = 24
HIGH: Final = 8


class Panel(NamedTuple):
    """One panel: its question, its unit as Grafana names it, and each expression with its legend.

    A `stat` shows what is now, and is red above `bad`.
    """

    title: str
    unit: str
    lines: Mapping[str, str]
    kind: str = "timeseries"
    bad: float | None = None


def stat(title: str, expression: str, *, unit: str = "short", bad: float = 0) -> Panel:
    """Return a panel that shows one figure, red above `bad`."""
    return Panel(title, unit, {"": expression}, "stat", bad)


def quantiles(histogram: str, window: str, *shares: float) -> dict[str, str]:
    """Return the expressions of these percentages of a histogram, over `window`."""
    rate = f"sum by (le) (rate({histogram}_bucket[{window}]))"
    return {f"{share} %": f"histogram_quantile({share / 100}, {rate})" for share in shares}


MONEY: Final = (
    stat("Paid at Stripe, not in the ledger", "max(billing_stripe_paid_not_in_ledger)"),
    stat(
        "Pending, and nobody is awaited: the oldest",
        'max(billing_undecided_money_oldest_age_seconds{kind="purchase"})',
        unit="s",
        bad=900,
    ),
    stat("Jobs due that nobody takes: the oldest", "max(billing_stripe_commands_overdue_seconds)", unit="s", bad=300),
    stat("Set aside for staff", 'sum(max by (kind) (billing_undecided_money_items{kind=~"payment|fact|command"}))'),
    Panel(
        "Money that waits for somebody",
        "short",
        {"{{kind}}": "max by (kind) (billing_undecided_money_items)"},
    ),
    Panel(
        "…and how long the oldest waits",
        "s",
        {"{{kind}}": "max by (kind) (billing_undecided_money_oldest_age_seconds)"},
    ),
    Panel(
        "Purchases that moved, in an hour",
        "short",
        {
            "{{from_status}} to {{to_status}}": (
                "sum by (from_status, to_status) (increase(billing_purchase_transitions_total[1h]))"
            )
        },
    ),
    Panel(
        "Found by the sweep, not by a webhook, in a day",
        "short",
        {"{{what}}": "sum by (what) (increase(billing_sweep_missed_total[1d]))"},
    ),
    Panel(
        "From Stripe's event to the ledger",
        "s",
        quantiles("billing_stripe_fact_age_seconds", "10m", 50, 95, 99),
    ),
    Panel(
        "Paid at Stripe and not in the ledger: the oldest",
        "s",
        {"age": "max(billing_stripe_paid_not_in_ledger_oldest_age_seconds)"},
    ),
)
WEBHOOKS: Final = (
    stat(
        "Of the month's error budget (0.05 %), used in three days",
        "billing:webhook_error_ratio:rate3d / 0.0005 / 10",
        unit="percentunit",
        bad=0.1,
    ),
    stat("Burn rate over an hour (pages at 14.4)", "billing:webhook_error_ratio:rate1h / 0.0005", bad=14.4),
    stat("Burn rate over six hours (pages at 6)", "billing:webhook_error_ratio:rate6h / 0.0005", bad=6),
    stat("Burn rate over three days (a ticket at 1)", "billing:webhook_error_ratio:rate3d / 0.0005", bad=1),
    Panel("Webhooks by outcome", "reqps", {"{{outcome}}": "sum by (outcome) (rate(billing_webhooks_total[5m])) > 0"}),
    Panel(
        "Time to the answer",
        "s",
        quantiles("billing_webhook_seconds", "5m", 50, 95, 99.9),
    ),
    Panel(
        "Burn rates",
        "short",
        {
            window: f"billing:webhook_error_ratio:rate{window} / 0.0005"
            for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
        },
    ),
    Panel("Webhooks by type", "reqps", {"{{type}}": "sum by (type) (rate(billing_webhooks_total[5m])) > 0"}),
)
CONSUMERS: Final = (
    Panel(
        "Behind",
        "short",
        {"{{group}}": "sum by (group) (max by (group, topic, partition) (billing_consumer_lag_records))"},
    ),
    Panel("Standing still", "s", {"{{consumer}}": "max by (consumer) (billing_consumer_stalled_seconds)"}),
    Panel("Oldest fact in the outbox", "s", {"{{service}}": "max by (service) (billing_outbox_oldest_age_seconds)"}),
    Panel("Facts in the outbox", "short", {"{{service}}": "max by (service) (billing_outbox_rows)"}),
    Panel("Facts sent to Kafka", "ops", {"{{service}}": "sum by (service) (rate(billing_relay_published_total[5m]))"}),
    Panel("Relays that lead", "short", {"{{service}}": "sum by (service) (billing_relay_leads)"}),
    Panel(
        "Set aside, and refused by Kafka",
        "short",
        {
            "set aside by {{consumer}}": "max by (consumer) (billing_parked_items)",
            "refused, of {{service}}": "max by (service) (billing_outbox_refused_facts)",
        },
    ),
    Panel(
        "Loops that back off",
        "ops",
        {"{{loop}}: {{fault}}": "sum by (loop, fault) (rate(billing_loop_backoffs_total[5m])) > 0"},
    ),
    Panel(
        "What came twice, is unknown, failed",
        "ops",
        {
            "twice: {{consumer}}": "sum by (consumer) (rate(billing_inbox_duplicates_total[5m]))",
            "unknown: {{consumer}}": "sum by (consumer) (rate(billing_facts_unknown_total[5m]))",
            "failed batches: {{consumer}}": "sum by (consumer) (rate(billing_consumer_batches_failed_total[5m]))",
            "reconnected: {{consumer}}": "sum by (consumer) (rate(billing_consumer_restarts_total[5m]))",
        },
    ),
    Panel(
        "Stripe's facts by outcome", "ops", {"{{outcome}}": "sum by (outcome) (rate(billing_stripe_facts_total[5m]))"}
    ),
)
STRIPE: Final = (
    Panel(
        "Calls by how they ended", "reqps", {"{{outcome}}": "sum by (outcome) (rate(billing_stripe_calls_total[5m]))"}
    ),
    Panel("Answers 429", "reqps", {"429": "sum(rate(billing_stripe_rate_limited_total[5m]))"}),
    Panel("Jobs by outcome", "ops", {"{{outcome}}": "sum by (outcome) (rate(billing_stripe_commands_total[5m]))"}),
    Panel(
        "Jobs put off, by kind",
        "ops",
        {"{{kind}}": 'sum by (kind) (rate(billing_stripe_commands_total{outcome="postponed"}[5m])) > 0'},
    ),
    Panel("A due job that nobody takes", "s", {"overdue": "max(billing_stripe_commands_overdue_seconds)"}),
    Panel("Jobs of unknown kinds", "short", {"jobs": "max(billing_stripe_commands_unknown)"}),
    Panel(
        "Refused for what we said, by code",
        "short",
        {"{{call}}: {{code}}": "sum by (call, code) (increase(billing_stripe_refusals_total[1h])) > 0"},
    ),
    Panel(
        "Rights that our key lacks",
        "short",
        {"{{right}}": "sum by (right) (increase(billing_stripe_forbidden_total[1h])) > 0"},
    ),
    Panel(
        "Declines in ten minutes, and the brake",
        "short",
        {"declines": "max(billing_card_declines)", "brake": "max(billing_card_testing_brake)"},
    ),
)
MAILS: Final = (
    stat("The mail server takes mails", "1 - max(billing_mail_server_up)"),
    stat("Oldest mail that waits", "max(billing_mail_oldest_unsent_seconds)", unit="s", bad=900),
    stat("Mails refused for good", "max(billing_mails_parked)"),
    Panel("Mails by outcome", "ops", {"{{outcome}}": "sum by (outcome) (rate(billing_mails_total[5m]))"}),
    Panel(
        "From the fact to the mail server",
        "s",
        quantiles("billing_mail_seconds", "5m", 50, 95),
    ),
    Panel(
        "Mails by letter, in an hour",
        "short",
        {"{{letter}}": 'sum by (letter) (increase(billing_mails_total{outcome="sent"}[1h])) > 0'},
    ),
)
POSTGRESQL: Final = (
    Panel(
        "Connections in use, of the pool",
        "percentunit",
        {"{{service}} {{instance}}": "billing_database_pool_in_use / billing_database_pool_size"},
    ),
    Panel("Can it be reached?", "short", {"{{service}}": 'min by (service) (billing_ready_check{check="database"})'}),
    Panel(
        "Requests that found a part away (503)",
        "reqps",
        {"{{service}}": 'sum by (service) (rate(billing_http_request_duration_seconds_count{status="503"}[5m]))'},
    ),
    Panel(
        "Deleted, since its time was over",
        "short",
        {"{{table}}": "sum by (table) (increase(billing_pruned_rows_total[1d]))"},
    ),
    Panel(
        "Last pruned, ago",
        "s",
        {"{{service}} {{table}}": "time() - max by (service, table) (billing_pruned_timestamp_seconds)"},
    ),
    Panel(
        "Loops that lost the database, or wait for others' locks",
        "ops",
        {"{{service}}: {{fault}}": 'sum by (service, fault) (rate(billing_loop_backoffs_total{fault!="record"}[5m]))'},
    ),
    Panel("Ready", "short", {"{{service}} {{instance}}": "billing_ready"}),
    Panel(
        "Time to answer, 99 %",
        "s",
        {
            "{{service}}": "histogram_quantile(0.99, sum by (service, le)"
            " (rate(billing_http_request_duration_seconds_bucket[5m])))"
        },
    ),
)
DASHBOARDS: Final[Mapping[str, tuple[str, Sequence[Panel]]]] = {
    "money-stuck": ("Is money stuck?", MONEY),
    "webhooks": ("Webhooks: 99.95 %", WEBHOOKS),
    "consumers": ("Consumers and lag", CONSUMERS),
    "stripe": ("Jobs and Stripe", STRIPE),
    "mails": ("Mails", MAILS),
    "postgresql": ("PostgreSQL, as our processes see it", POSTGRESQL),
}
"""By file: the title, and the panels in the order in which they are read."""


def dashboard(uid: str, title: str, panels: Sequence[Panel]) -> dict[str, Any]:
    """Return one dashboard as Grafana imports it."""
    return {
        "uid": f"quittance-{uid}",
        "title": title,
        "tags": ["quittance"],
        "timezone": "utc",
        "schemaVersion": SCHEMA,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "panels": [_panel(number, panel, place) for number, (panel, place) in enumerate(_placed(panels), 1)],
    }


def _placed(panels: Sequence[Panel]) -> list[tuple[Panel, dict[str, int]]]:
    """Return each panel with its place: figures four in a row, half as high; the others two in a row."""
    placed, x, y = [], 0, 0
    for panel in panels:
        width, height = (WIDE // 4, HIGH // 2) if panel.kind == "stat" else (WIDE // 2, HIGH)
        if x + width > WIDE or (placed and placed[-1][0].kind != panel.kind and x):
            x, y = 0, y + placed[-1][1]["h"]
        placed.append((panel, {"x": x, "y": y, "w": width, "h": height}))
        x += width
    return placed


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.bad is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": panel.bad + 1e-9}]
        defaults |= {"thresholds": {"mode": "absolute", "steps": steps}}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if panel.kind == "stat" else {},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend}
            for index, (legend, expression) in enumerate(panel.lines.items())
        ],
    }


def rendered() -> dict[str, str]:
    """Return each file's text, by its name."""
    return {
        f"{uid}.json": json.dumps(dashboard(uid, title, panels), indent=2, ensure_ascii=False) + "\n"
        for uid, (title, panels) in DASHBOARDS.items()
    }


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for name, text in rendered().items():
        (HERE / name).write_text(text)
