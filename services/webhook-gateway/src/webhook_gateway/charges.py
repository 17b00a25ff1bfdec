"""Charge events: what was given back of a charge, in all."""

from typing import Any

from contracts.stripe_facts import ChargeRefunded
from webhook_gateway.presence import Json, amount, currency_of, entries, id_of, is_whole_list, part, required_id
from webhook_gateway.refunds import snapshot
from webhook_gateway.stripe_event import StripeEvent, metadata_of, origin
from webhook_gateway.told import Told, tell


def charge_refunded(event: StripeEvent) -> Told:
    """`charge.refunded`. `amount_refunded` is cumulative; basil and later carry no invoice.

    Source: https://docs.stripe.com/api/charges/object.
    """
    charge = event.object
    return tell(
        ChargeRefunded,
        **origin(event, elsewhere=lambda: [metadata_of(part(charge, name)) for name in ("payment_intent", "invoice")]),
        charge_id=required_id(charge, "id"),
        payment_intent_id=id_of(charge.get("payment_intent")),
        invoice_id=id_of(charge.get("invoice")) or id_of(part(charge, "payment_intent").get("invoice")),
        amount=amount(charge, "amount"),
        amount_refunded=amount(charge, "amount_refunded"),
        currency=currency_of(charge),
        refunds=embedded_refunds(charge),
    )


def embedded_refunds(charge: Json) -> list[dict[str, Any]]:
    """The charge's refunds where the event carries all of them (before 2022-11-15); a cut list says nothing."""
    if not is_whole_list(charge, "refunds"):
        return []
    return [snapshot(refund) for refund in entries(charge, "refunds")]
