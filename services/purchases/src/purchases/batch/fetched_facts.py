"""What was found by asking Stripe, as the facts that its events would have been: one path for both."""

import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

from chassis.kafka.records import Received, StoredRecord
from chassis.process.logs import get_logger
from contracts import TOPICS, seal, stripe_facts
from purchases.batch.context import FETCHED, BatchContext
from purchases.batch.parking import is_set_aside
from purchases.stripe_api.client import UnknownShape
from purchases.stripe_api.reading import Fetched
from stripe_reader.disputes import read_dispute
from stripe_reader.invoices import read_invoice
from stripe_reader.origin import metadata_of
from stripe_reader.payments import read_failure, read_paid_by
from stripe_reader.refunds import read_refund
from stripe_reader.stripe_json import Json, flag, integer, utc_time

log = get_logger(__name__)

Kind = TypeVar("Kind", bound=stripe_facts.StripeFact)


def received_from_stripe(fact: stripe_facts.StripeFact) -> Received:
    """Return the fact as if it had come off Kafka; fetched again it is the same record."""
    envelope = seal(fact, occurred_at=fact.occurred_at)
    offset = uuid.UUID(str(envelope.id)).int >> 65
    body = fact.model_dump_json().encode()
    record = StoredRecord(TOPICS[type(fact)].name, FETCHED, offset, fact.key.encode(), body, envelope.to_headers())
    return Received(envelope=envelope, fact=fact, record=record)


def refund_fact(refund: Fetched) -> stripe_facts.RefundChanged:
    """Return a refund object of Stripe's API as its event. Raises UnknownShape."""
    return _fact(stripe_facts.RefundChanged, refund, vars(found := refund.read(read_refund)), found.refund.status)


def dispute_fact(dispute: Fetched) -> stripe_facts.DisputeChanged:
    """Return a dispute object of Stripe's API as its event. Raises UnknownShape."""
    return _fact(stripe_facts.DisputeChanged, dispute, vars(found := dispute.read(read_dispute)), found.status)


def invoice_fact(invoice: Fetched) -> stripe_facts.InvoicePaid:
    """Return a paid invoice of Stripe's API, with all its lines and payments, as its event. Raises UnknownShape."""
    fields = {**vars(invoice.read(read_invoice)), **vars(invoice.read(read_paid_by))}
    return _fact(stripe_facts.InvoicePaid, invoice, fields, "paid")


def failed_invoice_fact(invoice: Fetched) -> stripe_facts.InvoicePaymentFailed:
    """Return an invoice that is open, and was tried in vain, as the event of that. Raises UnknownShape."""
    fields = {**vars(invoice.read(read_invoice)), **vars(invoice.read(read_failure))}
    return _fact(stripe_facts.InvoicePaymentFailed, invoice, fields, "open")


def unrecognised_fact(thing: Fetched, kind: str, error: UnknownShape) -> stripe_facts.UnrecognisedEvent:
    """Return what stands for an object of Stripe's API that nobody understands, to be parked with its body."""
    metadata: Mapping[str, str] = {}
    with suppress(UnknownShape):  # it is parked because something in it cannot be read: that may be its metadata
        metadata = thing.read(metadata_of)
    body = thing.payload
    return stripe_facts.UnrecognisedEvent(
        **_found(body, kind, state=str(body.get("status"))),
        object_id=thing.id,
        quittance_instance=metadata.get("quittance_instance"),
        purchase_id=metadata.get("purchase_id"),
        reason=str(error),
        body=json.dumps(body, default=str),
    )


def _fact(kind: type[Kind], thing: Fetched, fields: Mapping[str, Any], state: str) -> Kind:
    """Return the object as a fact, its `fields` read by who reads its event, too."""
    found = thing.read(lambda payload: _found(payload, str(payload["object"]), state=state))
    return kind.model_validate({**found, **fields}, from_attributes=True)


def _found(thing: Json, kind: str, *, state: str) -> dict[str, Any]:
    """Return what stands for an event's envelope: no event, but the same for the same `state` of the object."""
    return {
        "stripe_event_id": f"found:{thing['id']}:{state}",
        "stripe_event_type": f"{kind}.found",
        "api_version": None,
        "livemode": flag(thing, "livemode"),
        "occurred_at": utc_time(integer(thing, "created")),
    }


async def park_unknown_shape(context: BatchContext, thing: Fetched, kind: str, error: UnknownShape) -> None:
    """Park the object, unless one of its events was parked for the same."""
    found = received_from_stripe(unrecognised_fact(thing, kind, error))
    log.error("not_understood", kind=kind, object=thing.id, reason=str(error))
    if not await is_set_aside(context.session, found):
        await context.park(found, reason=f"unknown shape: {error}")
