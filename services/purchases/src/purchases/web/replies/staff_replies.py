"""What platform staff get."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis.web.cursors import NextCursor
from purchases.ledger.learn_ids import paid_mark
from purchases.ledger.rows import Charge, Dispute, Payment, Purchase, Transition
from purchases.ledger.transitions import Status
from purchases.parked.store import ParkedItem
from purchases.refunds.request_refund import refund_problem, refundable_cents, refundable_to_credit_cents
from purchases.web.replies.examples import FOUND_PURCHASE, NEXT_CURSOR, REFUND, STAFF_PURCHASE
from purchases.web.replies.parked_replies import ParkedReply, parked_reply
from purchases.web.replies.purchase_replies import PurchaseReply, members_of

FIRST: Final = ("stripe_payment_intent_id", "stripe_charge_id")
WIDER_THAN_A_PURCHASE: Final = frozenset({"stripe_customer_id", "stripe_price_id"})
"""What waits for the customer is not about one purchase."""


class TransitionReply(BaseModel):
    """One line of the history; a stale one changed nothing."""

    sequence: int
    from_status: Status | None = None
    to_status: Status
    trigger: str
    stale: bool
    actor: str
    stripe_event_id: str | None = None
    reason: str | None = None
    at: datetime


class ChargeReply(BaseModel):
    """One charge that paid an invoice, in whole or in part."""

    stripe_payment_intent_id: str | None = None
    stripe_charge_id: str | None = None
    amount_cents: int | None = Field(default=None, description="Null while nobody said how much of the invoice it paid")
    refunded_cents: int = Field(description="Its refunds that count; lost disputes stand beside")


class PaymentReply(BaseModel):
    """One paid invoice of the purchase."""

    stripe_invoice_id: str
    stripe_payment_intent_id: str | None = Field(default=None, description="Of the first charge")
    stripe_charge_id: str | None = Field(default=None, description="Of the first charge")
    charges: list[ChargeReply] = Field(description="Several where it was paid in parts")
    paid_cents: int
    currency: str
    credit_cents: int = Field(description="What of it the customer's credit balance paid")
    off_stripe_cents: int = Field(description="What of it was paid outside of Stripe")
    returned: bool = Field(description="It found no purchase to pay and goes back")
    recorded_at: datetime


class RefundReply(BaseModel):
    """One refund, credit that was given back, money that was returned, or a lost dispute."""

    model_config = ConfigDict(json_schema_extra={"examples": [REFUND]})

    id: UUID
    stripe_refund_id: str | None = Field(default=None, description="Null while staff's refund is only requested")
    kind: str = Field(
        description="`refund`, `return` (of money that paid nothing), `credit` (to the customer's credit balance, "
        "which had paid) or `dispute` (lost)"
    )
    refund_cents: int
    currency: str
    status: str = Field(description="`requested` until Stripe has answered, then Stripe's own word")
    requested_by: str | None = None
    reason: str | None = None
    failure_reason: str | None = None
    recorded_at: datetime


class DisputeReply(BaseModel):
    """A cardholder's bank wants money back."""

    stripe_dispute_id: str
    dispute_cents: int
    currency: str
    status: str
    reason: str | None = None
    opened_at: datetime
    closed_at: datetime | None = None


class FoundPurchaseReply(PurchaseReply):
    """A purchase with Stripe's ids."""

    model_config = ConfigDict(json_schema_extra={"examples": [FOUND_PURCHASE]})

    bought_by: str
    sequence: int
    payable: bool = Field(description="Money may still arrive for it at Stripe")
    stripe_customer_id: str | None = None
    stripe_invoice_id: str | None = None
    stripe_payment_intent_id: str | None = None
    stripe_charge_id: str | None = None
    stripe_price_id: str | None = None
    stripe_checkout_session_id: str | None = None
    stripe_subscription_id: str | None = None


class FoundReply(BaseModel):
    """A page of what staff looked for, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"purchases": [FOUND_PURCHASE], "next_cursor": NEXT_CURSOR}]}
    )

    purchases: list[FoundPurchaseReply]
    next_cursor: NextCursor = None


class AdminPurchaseReply(FoundPurchaseReply):
    """With what staff need: history, money, and what is parked about it or waits for one of its ids."""

    model_config = ConfigDict(json_schema_extra={"examples": [STAFF_PURCHASE]})

    refundable_cents: int = Field(description="What could still be refunded: less what went back or is asked for")
    refundable_to_credit_cents: int = Field(
        description="What of that goes to the customer's credit balance, which paid it; the rest to what was charged"
    )
    not_refundable_because: str | None = Field(
        default=None, description="The problem type that any refund would meet now; null where something can go back"
    )
    history: list[TransitionReply]
    payments: list[PaymentReply]
    refunds: list[RefundReply]
    disputes: list[DisputeReply]
    parked: list[ParkedReply]


def found_reply(purchase: Purchase) -> FoundPurchaseReply:
    return FoundPurchaseReply.model_validate(_own(purchase))


def admin_purchase_reply(
    purchase: Purchase, *, history: Sequence[Transition], disputes: Sequence[Dispute], parked: Sequence[ParkedItem]
) -> AdminPurchaseReply:
    problem = refund_problem(purchase)
    children = {
        "refundable_cents": refundable_cents(purchase),
        "refundable_to_credit_cents": refundable_to_credit_cents(purchase),
        "not_refundable_because": problem.slug if problem else None,
        "history": _each(TransitionReply, history),
        "payments": [_payment_reply(payment) for payment in purchase.payments],
        "refunds": _each(RefundReply, purchase.refunds),
        "disputes": _each(DisputeReply, disputes),
        "parked": [parked_reply(item) for item in parked],
    }
    return AdminPurchaseReply.model_validate(_own(purchase) | children)


def _payment_reply(payment: Payment) -> dict[str, Any]:
    """Return `charges` beside the first one's ids, which are older: an invoice had one charge when they were named."""
    charges = _each(ChargeReply, payment.charges)
    first = {name: charges[0][name] for name in FIRST} if charges else {}
    own = PaymentReply.model_fields.keys() - {"charges", *FIRST}
    return {name: getattr(payment, name) for name in own} | first | {"charges": charges}


def ids_of(purchase: Purchase) -> list[str]:
    """Return everything that a parked item about this purchase may wait for or name."""
    charges = [charge for payment in purchase.payments for charge in payment.charges]
    payments = [*map(_stripe_ids, purchase.payments), *map(_stripe_ids, charges)]
    return [
        str(purchase.id),
        paid_mark(purchase),
        *_stripe_ids(purchase),
        *(stripe_id for ids in payments for stripe_id in ids),
    ]


def _stripe_ids(row: Purchase | Payment | Charge) -> list[str]:
    names = [column.name for column in row.__table__.columns if column.name.startswith("stripe_")]
    ids = [getattr(row, name) for name in names if name not in WIDER_THAN_A_PURCHASE]
    return [stripe_id for stripe_id in ids if stripe_id is not None]


def _own(purchase: Purchase) -> dict[str, Any]:
    own = {name: getattr(purchase, name) for name in FoundPurchaseReply.model_fields if hasattr(Purchase, name)}
    return own | members_of(purchase)


def _each(kind: type[BaseModel], rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [{name: getattr(row, name) for name in kind.model_fields} for row in rows]
