"""By which ids a fact names its purchases."""

import uuid
from typing import Final

from contracts import Fact, stripe_facts
from stripe_reader.unknown_shapes import read_owner_hints

FIRST_INVOICE: Final = "subscription_create"


def references_of(fact: Fact) -> list[list[str]]:
    """Return the ids that name the purchases, the surest first (SPEC §4); those of a group are equally sure."""
    return [group for ids in _groups(fact) if (group := [one for one in ids if one])]


def ids_of(fact: Fact) -> list[str]:
    """Return all of them."""
    return [one for group in references_of(fact) for one in group]


def payment_ids_of(fact: Fact) -> set[str]:
    """Return the intents and charges that paid it, which whoever applies the fact stores."""
    if not isinstance(fact, stripe_facts.InvoiceFact):
        return set()
    parts = fact.paid_by if isinstance(fact, stripe_facts.InvoicePaid) else ()
    paid_with = [
        (fact.payment_intent_id, fact.charge_id),
        *((part.payment_intent_id, part.charge_id) for part in parts),
    ]
    return {one for pair in paid_with for one in pair if one is not None}


def subscription_ids_of(fact: Fact) -> set[str]:
    """Return the subscription that whoever applies the fact may store, if it says which."""
    confirms = stripe_facts.InvoicePaid | stripe_facts.CheckoutSessionCompleted | stripe_facts.CheckoutSessionPaid
    return {fact.subscription_id} if isinstance(fact, confirms) and fact.subscription_id is not None else set()


def all_ids_of(fact: Fact) -> set[str]:
    """Return every id by which a parked fact may concern a purchase: of a bundle's charge, each row's."""
    found = set(ids_of(fact))
    match fact:
        case stripe_facts.RefundChanged():
            found |= {fact.refund.refund_id}
        case stripe_facts.DisputeChanged():
            found |= {fact.dispute_id}
        case stripe_facts.UnrecognisedEvent():
            found |= {fact.object_id, *read_owner_hints(fact.body).ids}
    return found


def _groups(fact: Fact) -> list[list[str | None]]:
    match fact:
        case stripe_facts.InvoiceFact():
            return _of_invoice(fact)
        case stripe_facts.InvoicePaymentLinked():
            return [[fact.invoice_id], [fact.payment_intent_id]]
        case stripe_facts.ChargeRefunded():
            return [[fact.payment_intent_id], [fact.invoice_id], [fact.charge_id], [fact.purchase_id]]
        case stripe_facts.RefundChanged():
            return [[fact.payment_intent_id], [fact.charge_id], [fact.purchase_id]]
        case stripe_facts.SubscriptionChanged():
            return [[*fact.purchase_ids], [fact.subscription_id]]
        case stripe_facts.DisputeChanged():
            return [[fact.payment_intent_id], [fact.charge_id]]
        case stripe_facts.CheckoutSessionFact():
            return [[fact.session_id], [*fact.purchase_ids]]
    return []


def _of_invoice(fact: stripe_facts.InvoiceFact) -> list[list[str | None]]:
    """Return what an invoice names: a subscription's first one pays what was sold with it, a renewal pays nobody.

    The invoice's id may be known of one purchase of a bundle before it is of the others that it names.
    """
    if is_renewal(fact):
        return [[fact.invoice_id]]
    return [[fact.checkout_session_id], [fact.subscription_id], [fact.invoice_id, *names_in(fact)]]


def names_in(fact: stripe_facts.InvoiceFact) -> list[str]:
    """Return the purchases that the metadata of the invoice, its subscription or lines names, if it can pay them."""
    named = [fact.purchase_id, *fact.purchase_ids, *(line.purchase_id for line in fact.lines)]
    return [] if is_renewal(fact) else [purchase_id for purchase_id in named if purchase_id]


def is_renewal(fact: stripe_facts.InvoiceFact) -> bool:
    """Return whether it is any invoice of a subscription but its first."""
    return fact.subscription_id is not None and fact.billing_reason != FIRST_INVOICE


def is_uuid(text: str) -> bool:
    """Return whether it is an id of ours as we write them; another spelling of one, by whoever, names nothing."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
