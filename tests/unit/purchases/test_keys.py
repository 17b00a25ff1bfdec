"""What follows from the row: idempotency keys, metadata, the fingerprint of a request."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from purchases.buying.buy import Order
from purchases.stripe_api.keys import idempotency_key, metadata_of
from purchases.stripe_api.values import Sale

ID = uuid.UUID("6f0c1f9e-6f2b-4a38-9f43-5ad2f0a7f1c1")
ORDER = Order(
    workspace_id="ws",
    addon_slug="setup",
    expected_price_cents=49_900,
    expected_currency="EUR",
    return_url="https://app.example/back",
    idempotency_key="k",
    buyer="user:olga",
)


def test_a_repeat_has_the_same_key_and_a_new_attempt_another() -> None:
    assert f"live:{ID}:pay:1" == idempotency_key("live", ID, "pay")
    assert f"live:{ID}:pay:2" == idempotency_key("live", ID, "pay", 2)


def test_instances_never_share_a_key() -> None:
    assert idempotency_key("live", ID, "pay") != idempotency_key("staging", ID, "pay")


def test_our_metadata_is_enough_to_rebuild_a_lost_row() -> None:
    sale = Sale(
        purchase_id=ID,
        workspace_id="ws",
        addon_slug="setup",
        addon_name="Setup",
        price_cents=49_900,
        currency="EUR",
        started_at=datetime.now(UTC),
    )
    assert {
        "quittance_instance": "live",
        "workspace_id": "ws",
        "purchase_id": str(ID),
        "addon_slug": "setup",
    } == metadata_of(sale, instance="live")


def test_whoever_repeats_a_request_repeats_its_fingerprint() -> None:
    again = Order(**{name: getattr(ORDER, name) for name in ORDER.__slots__} | {"buyer": "user:anna"})
    assert ORDER.fingerprint == again.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"addon_slug": "other"},
        {"expected_price_cents": 49_800},
        {"expected_currency": "USD"},
        {"return_url": "https://app.example/elsewhere"},
    ],
)
def test_another_body_has_another_fingerprint(change: dict[str, Any]) -> None:
    other = Order(**({name: getattr(ORDER, name) for name in ORDER.__slots__} | change))
    assert ORDER.fingerprint != other.fingerprint
