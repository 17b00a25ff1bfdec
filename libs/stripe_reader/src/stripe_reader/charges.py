"""Charges: what was given back of one, in all."""

from datetime import datetime

from stripe_reader.origin import StripeObject, metadata_of, read_origin
from stripe_reader.refunds import RefundSnapshot, read_refund_snapshot
from stripe_reader.stripe_json import (
    Json,
    amount,
    currency_of,
    entries,
    id_of,
    integer,
    is_whole_list,
    part,
    required_id,
    utc_time,
)


class Charge(StripeObject):
    """A charge; `amount` and the cumulative `amount_refunded` in minor units of `currency`."""

    charge_id: str
    payment_intent_id: str | None
    invoice_id: str | None
    amount: int
    amount_refunded: int
    currency: str
    refunds: tuple[RefundSnapshot, ...]


def read_charge(charge: Json) -> Charge:
    """Return what a charge says; basil and later carry no invoice. Raises UnknownShape.

    Source: https://docs.stripe.com/api/charges/object.
    """
    intent = part(charge, "payment_intent")
    return Charge(
        **read_origin(charge, elsewhere=lambda: [metadata_of(intent), metadata_of(part(charge, "invoice"))]),
        charge_id=required_id(charge, "id"),
        payment_intent_id=id_of(charge.get("payment_intent")),
        invoice_id=id_of(charge.get("invoice")) or id_of(intent.get("invoice")),
        amount=amount(charge, "amount"),
        amount_refunded=amount(charge, "amount_refunded"),
        currency=currency_of(charge),
        refunds=_embedded_refunds(charge),
    )


def _embedded_refunds(charge: Json) -> tuple[RefundSnapshot, ...]:
    """Return all of them (events before 2022-11-15 carry them); a cut list says nothing."""
    if not is_whole_list(charge, "refunds"):
        return ()
    return tuple([read_refund_snapshot(refund) for refund in entries(charge, "refunds")])


def read_charged_at(charge: Json) -> datetime:
    """Return when the charge was made. Raises UnknownShape."""
    return utc_time(integer(charge, "created"))
