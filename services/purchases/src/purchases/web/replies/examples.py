"""The examples of the API's description: one workspace, one add-on, one purchase, the same in all of them."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from pydantic.config import JsonDict

from purchases.catalog_copy.rows import Addon
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Refused, Status, Trigger

# Examples have no nulls: FastAPI leaves them out of the document.
PURCHASE_ID: Final = "0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31"
ADDON_ID: Final = "6f6b1a52-3c1d-5e0e-9f0e-3f6a0d1f4990"
WORKSPACE: Final[JsonDict] = {
    "id": "ws-acme",
    "name": "Acme",
    "owner": {"user_id": "user-1", "email": "owner@acme.example"},
    "stripe_customer_id": "cus_TQ5m0Yq1Zk3x9B",
}
SOLD: Final[JsonDict] = {"price": "499.00", "price_cents": 49900, "currency": "EUR"}
PURCHASE: Final[JsonDict] = {
    "id": PURCHASE_ID,
    "workspace_id": "ws-acme",
    "addon": {"id": ADDON_ID, "slug": "professional-ai-setup", "name": "Professional AI Setup"},
    **SOLD,
    "status": "paid",
    "paid_cents": 49900,
    "paid_by_credit_cents": 0,
    "paid_outside_stripe_cents": 0,
    "refunded_cents": 0,
    "returned_cents": 0,
    "returning_cents": 0,
    "started_at": "2026-03-02T09:12:00.250000Z",
    "paid_at": "2026-03-02T09:12:02.118204Z",
}
FOUND_PURCHASE: Final[JsonDict] = {
    **PURCHASE,
    "bought_by": "user:user-1",
    "sequence": 2,
    "payable": False,
    "stripe_customer_id": "cus_TQ5m0Yq1Zk3x9B",
    "stripe_invoice_id": "in_1SVq2jLkdIwHu7ixTzM0aVbC",
    "stripe_payment_intent_id": "pi_3SVq2kLkdIwHu7ix0hRbQpXn",
}
STAFF_PURCHASE: Final[JsonDict] = {
    **FOUND_PURCHASE,
    "refundable_cents": 49900,
    "refundable_to_credit_cents": 0,
    "history": [
        {
            "sequence": 1,
            "to_status": "pending",
            "trigger": "bought",
            "stale": False,
            "actor": "user:user-1",
            "at": "2026-03-02T09:12:00.250000Z",
        },
        {
            "sequence": 2,
            "from_status": "pending",
            "to_status": "paid",
            "trigger": "payment_succeeded",
            "stale": False,
            "actor": "stripe",
            "stripe_event_id": "evt_1SVq2lLkdIwHu7ixmZt0UuYy",
            "at": "2026-03-02T09:12:02.118204Z",
        },
    ],
    "payments": [
        {
            "stripe_invoice_id": "in_1SVq2jLkdIwHu7ixTzM0aVbC",
            "stripe_payment_intent_id": "pi_3SVq2kLkdIwHu7ix0hRbQpXn",
            "charges": [
                {
                    "stripe_payment_intent_id": "pi_3SVq2kLkdIwHu7ix0hRbQpXn",
                    "amount_cents": 49900,
                    "refunded_cents": 0,
                }
            ],
            "paid_cents": 49900,
            "currency": "EUR",
            "credit_cents": 0,
            "off_stripe_cents": 0,
            "returned": False,
            "recorded_at": "2026-03-02T09:12:02.118204Z",
        }
    ],
    "refunds": [],
    "disputes": [],
    "parked": [],
}
OFFER: Final[JsonDict] = {
    "id": ADDON_ID,
    "slug": "professional-ai-setup",
    "name": "Professional AI Setup",
    "description": "Our team sets up your AI assistants, prompts and integrations together with you.",
    "bullets": ["Kick-off call with your team", "Two weeks of support"],
    **SOLD,
    "can_be_bought": False,
    "cannot_buy_because": "already-purchased",
    "purchase_id": PURCHASE_ID,
}
NEXT_CURSOR: Final = "eyJpZCI6IjAxOTdlMGE0In0"

ADDON_ROW: Final = Addon(slug="professional-ai-setup", price_cents=49900, currency="EUR")
PAID_ROW: Final = Purchase(id=UUID(PURCHASE_ID), status=Status.PAID)
NOW: Final = datetime(2026, 3, 2, 9, 12, tzinfo=UTC)
TOO_EARLY: Final = Refused(Status.PENDING, Trigger.DELIVERED)
REFUND: Final[JsonDict] = {
    "id": "5c1e0e7a-6a34-5b0e-9f2d-0d1c6e8f2a17",
    "stripe_refund_id": "re_3SVq2oLkdIwHu7ix1bZs0XhM",
    "kind": "refund",
    "refund_cents": 10000,
    "currency": "EUR",
    "status": "succeeded",
    "requested_by": "staff:staff-1",
    "reason": "Half of it was done",
    "recorded_at": "2026-03-20T11:45:08.310000Z",
}

CANCELLED_TWICE: Final = Refused(Status.CANCELLED, Trigger.CANCELLED)
REOPENED_EARLY: Final = Refused(Status.PAID, Trigger.REOPENED)
FAILED_ROW: Final = Purchase(id=UUID(PURCHASE_ID), status=Status.FAILED)
