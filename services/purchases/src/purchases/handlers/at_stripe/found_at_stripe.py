"""What was found by asking Stripe, as the facts that its events would have been: one path for both."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from chassis.records import Received, StoredRecord
from contracts import TOPICS, seal
from contracts import stripe_facts as told
from purchases.domain.disputes import is_final
from purchases.domain.stripe_values import Line, PaidInvoice, Part
from purchases.handlers.steps.work import FOUND
from purchases.payments.client import UnknownShape, metadata_of_object
from purchases.payments.look import reference

Shape = TypeVar("Shape", bound=BaseModel)


def received(fact: told.StripeFact) -> Received:
    """The fact as if it had come off Kafka; found again it is the same record."""
    envelope = seal(fact, occurred_at=fact.occurred_at)
    offset = uuid.UUID(str(envelope.id)).int >> 65
    body = fact.model_dump_json().encode()
    record = StoredRecord(TOPICS[type(fact)].name, FOUND, offset, fact.key.encode(), body, envelope.to_headers())
    return Received(envelope=envelope, fact=fact, record=record)


def refund_fact(refund: Any) -> told.RefundChanged:
    """Return a refund object of Stripe's API as its event. Raises UnknownShape."""
    return _fact(
        told.RefundChanged,
        **_origin(refund, "refund", told_by=f"{refund.id}:{refund.status}"),
        refund=snapshot_of(refund),
        charge_id=reference(refund.charge),
        payment_intent_id=reference(refund.payment_intent),
    )


def snapshot_of(refund: Any) -> told.RefundSnapshot:
    """Return what a refund object of Stripe's API says. Raises UnknownShape."""
    metadata = metadata_of_object(refund)
    return _fact(
        told.RefundSnapshot,
        refund_id=refund.id,
        amount=refund.amount,
        currency=refund.currency.upper(),
        status=refund.status,
        purchase_id=metadata.get("purchase_id"),
        requested_id=metadata.get("refund_id"),
        returned_invoice_id=metadata.get("returned_invoice"),
        failure_reason=getattr(refund, "failure_reason", None),
    )


def dispute_fact(dispute: Any) -> told.DisputeChanged:
    """Return a dispute object of Stripe's API as its event. Raises UnknownShape."""
    return _fact(
        told.DisputeChanged,
        **_origin(dispute, "dispute", told_by=f"{dispute.id}:{dispute.status}"),
        dispute_id=dispute.id,
        charge_id=reference(dispute.charge),
        payment_intent_id=reference(dispute.payment_intent),
        amount=dispute.amount,
        currency=dispute.currency.upper(),
        status=dispute.status,
        reason=dispute.reason,
        evidence_due_at=_moment(getattr(dispute.evidence_details, "due_by", None)),
        closed=is_final(dispute.status),
    )


def invoice_fact(invoice: Any, paid: PaidInvoice) -> told.InvoicePaid:
    """Return a paid invoice of Stripe's API, with all its lines, as its event. Raises UnknownShape."""
    named = metadata_of_invoice(invoice)
    return _fact(
        told.InvoicePaid,
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
        paid_by=tuple(_invoice_part(one) for one in paid.parts),
        paid_by_credit=paid.credit_cents,
        paid_off_stripe=paid.off_stripe_cents,
        lines=tuple(_line(number, line) for number, line in enumerate(paid.lines)),
    )


def unrecognised_fact(thing: Any, kind: str, error: UnknownShape) -> told.UnrecognisedEvent:
    """Return what stands for an object of Stripe's API that nobody understands, to be parked with its body."""
    origin = _origin(thing, kind, told_by=f"{thing.id}:{getattr(thing, 'status', None)}")
    body = json.dumps(thing.to_dict(), default=str)
    return told.UnrecognisedEvent(**origin, reason=str(error), body=body)


def metadata_of_invoice(invoice: Any) -> dict[str, str]:
    """Its own, and its subscription's copy where it has one."""
    subscription = getattr(invoice.parent, "subscription_details", None) if invoice.parent else None
    return metadata_of_object(subscription) | metadata_of_object(invoice)


def purchase_ids_of(metadata: dict[str, str]) -> tuple[str, ...]:
    """Our metadata's `purchase_ids` and `purchase_ids_2`, which hold twelve each."""
    listed = ",".join(metadata.get(name, "") for name in ("purchase_ids", "purchase_ids_2"))
    return tuple(dict.fromkeys(one.strip() for one in listed.split(",") if one.strip()))


def _fact(kind: type[Shape], **fields: Any) -> Shape:
    try:
        return kind(**fields)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc']))} is {one['input']!r}" for one in error.errors(include_url=False))
        raise UnknownShape(f"{kind.__name__}: {'; '.join(faults)}"[:2000]) from error


def _invoice_part(part: Part) -> told.InvoicePart:
    return told.InvoicePart(
        payment_intent_id=part.payment_intent_id, charge_id=part.charge_id, amount_paid=part.cents or 0
    )


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
