"""What was found by asking Stripe, as the facts that its events would have been: one path for both."""

import uuid
from datetime import UTC, datetime
from typing import Any, Final

from chassis.records import Received, StoredRecord
from contracts import TOPICS, seal
from contracts import stripe_facts as told
from purchases.domain.money import Line, PaidInvoice
from purchases.payments.client import metadata_of_object
from purchases.payments.look import reference

FOUND: Final = -1
"""The partition of a record that never was on Kafka."""


def received(fact: told.StripeFact) -> Received:
    """The fact as if it had come off Kafka; found again it is the same record."""
    envelope = seal(fact, occurred_at=fact.occurred_at)
    offset = uuid.UUID(str(envelope.id)).int >> 65
    body = fact.model_dump_json().encode()
    record = StoredRecord(TOPICS[type(fact)].name, FOUND, offset, fact.key.encode(), body, envelope.to_headers())
    return Received(envelope=envelope, fact=fact, record=record)


def refund_fact(refund: Any) -> told.RefundChanged:
    """A refund object of Stripe's API."""
    metadata = metadata_of_object(refund)
    snapshot = told.RefundSnapshot(
        refund_id=refund.id,
        amount=refund.amount,
        currency=refund.currency.upper(),
        status=refund.status,
        purchase_id=metadata.get("purchase_id"),
        requested_id=metadata.get("refund_id"),
        returned_invoice_id=metadata.get("returned_invoice"),
        failure_reason=getattr(refund, "failure_reason", None),
    )
    return told.RefundChanged(
        **_origin(refund, "refund", told_by=f"{refund.id}:{refund.status}"),
        refund=snapshot,
        charge_id=reference(refund.charge),
        payment_intent_id=reference(refund.payment_intent),
    )


def dispute_fact(dispute: Any) -> told.DisputeChanged:
    """A dispute object of Stripe's API."""
    return told.DisputeChanged(
        **_origin(dispute, "dispute", told_by=f"{dispute.id}:{dispute.status}"),
        dispute_id=dispute.id,
        charge_id=reference(dispute.charge),
        payment_intent_id=reference(dispute.payment_intent),
        amount=dispute.amount,
        currency=dispute.currency.upper(),
        status=dispute.status,
        reason=dispute.reason,
        evidence_due_at=_moment(getattr(dispute.evidence_details, "due_by", None)),
        closed=dispute.status in {"won", "lost", "warning_closed", "prevented"},
    )


def invoice_fact(invoice: Any, paid: PaidInvoice) -> told.InvoicePaid:
    """A paid invoice of Stripe's API, with all its lines."""
    named = metadata_of_invoice(invoice)
    return told.InvoicePaid(
        **_origin(invoice, "invoice", told_by=f"{invoice.id}:paid")
        | {name: named.get(name) for name in ("quittance_instance", "workspace_id")}
        | {"customer_id": paid.customer_id},
        invoice_id=paid.invoice_id,
        status=invoice.status,
        currency=paid.currency.upper(),
        total=invoice.total,
        amount_due=invoice.amount_due,
        amount_paid=paid.amount_paid,
        billing_reason=invoice.billing_reason,
        subscription_id=paid.subscription_id,
        purchase_ids=purchase_ids_of(named),
        payment_intent_id=paid.payment_intent_id,
        charge_id=paid.charge_id,
        lines=tuple(_line(number, line) for number, line in enumerate(paid.lines)),
    )


def metadata_of_invoice(invoice: Any) -> dict[str, str]:
    """Its own, and its subscription's copy where it has one."""
    subscription = getattr(invoice.parent, "subscription_details", None) if invoice.parent else None
    return metadata_of_object(subscription) | metadata_of_object(invoice)


def purchase_ids_of(metadata: dict[str, str]) -> tuple[str, ...]:
    """Our metadata's `purchase_ids` and `purchase_ids_2`, which hold twelve each."""
    listed = ",".join(metadata.get(name, "") for name in ("purchase_ids", "purchase_ids_2"))
    return tuple(dict.fromkeys(one.strip() for one in listed.split(",") if one.strip()))


def _line(number: int, line: Line) -> told.InvoiceLine:
    return told.InvoiceLine(
        line_id=f"line {number}",
        amount=line.amount,
        currency=line.currency.upper(),
        price_id=line.price_id,
        purchase_id=line.purchase_id,
        addon_slug=line.addon_slug,
        discount_cents=line.discount_cents,
        tax_cents=line.tax_cents,
    )


def _origin(thing: Any, kind: str, *, told_by: str) -> dict[str, Any]:
    metadata = metadata_of_object(thing)
    return {
        "stripe_event_id": f"found:{told_by}",
        "stripe_event_type": f"{kind}.found",
        "api_version": None,
        "livemode": bool(getattr(thing, "livemode", False)),
        "occurred_at": _moment(thing.created),
        "object_id": thing.id,
        "quittance_instance": metadata.get("quittance_instance"),
        "purchase_id": metadata.get("purchase_id"),
    }


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
