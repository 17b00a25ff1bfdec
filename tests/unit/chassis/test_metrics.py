"""What a process exports before anything has happened: no first event is missed, and nothing is said to be down."""

import subprocess
import sys
from typing import Final

import pytest

FRESH: Final = """
import notifier.delivery.sender, purchases.reconcile.missed, purchases.buying.card_testing
from notifier import metrics
from prometheus_client import generate_latest
metrics.export_from_the_start(["purchase-paid"])
print(generate_latest().decode())
"""


@pytest.fixture(scope="module")
def exported() -> str:
    """Return the exposition of a process that has done nothing."""
    return subprocess.run([sys.executable, "-c", FRESH], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    "gauge",
    [
        "billing_mail_server_up",
        "billing_jwks_fetched_timestamp_seconds",
        "billing_ended_sessions_read_timestamp_seconds",
    ],
)
def test_what_has_not_happened_yet_is_unknown_and_not_0(exported: str, gauge: str) -> None:
    assert f"\n{gauge} NaN\n" in exported


@pytest.mark.parametrize(
    "series",
    [
        'billing_sweep_missed_total{what="refund"}',
        'billing_mails_total{letter="purchase-paid",outcome="parked"}',
    ],
)
def test_a_counter_is_0_before_its_first_event(exported: str, series: str) -> None:
    assert f"\n{series} 0.0\n" in exported


@pytest.mark.parametrize(
    "gauge",
    ["billing_outbox_rows", "billing_outbox_oldest_age_seconds", "billing_mails_parked", "billing_card_declines"],
)
def test_a_gauge_of_a_table_that_replicas_share_says_so(exported: str, gauge: str) -> None:
    (help_text,) = (line for line in exported.splitlines() if line.startswith(f"# HELP {gauge} "))

    assert "max by" in help_text
