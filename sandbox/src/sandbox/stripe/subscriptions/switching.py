"""Another price for a running subscription: another amount in the same rhythm, or another rhythm from now on."""

from collections.abc import Sequence
from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.invoice_model import InvoiceItem
from sandbox.stripe.subscriptions import bills, collecting, proration
from sandbox.stripe.subscriptions.calendar import end_of_period, same_rhythm
from sandbox.stripe.subscriptions.model import Subscription, SubscriptionItem
from sandbox.stripe.subscriptions.states import change

PRORATIONS = ("always_invoice", "create_prorations", "none")


def switch(
    *, call: Call, subscription: Subscription, items: tuple[SubscriptionItem, ...], behaviour: str
) -> Subscription:
    """Have `items` from now on (https://docs.stripe.com/billing/subscriptions/prorations).

    Another rhythm begins a new period and is charged at once; in the same one the difference is charged at once
    only with `always_invoice`, else with the next renewal.
    """
    if subscription.status == "trialing":
        return change(call=call, subscription=subscription, items=items)
    if not same_rhythm(subscription.items[0].price, items[0].price):
        return _begin_anew(call=call, subscription=subscription, items=items, behaviour=behaviour)
    gone = [one for one in subscription.items if one not in items]
    added = [one for one in items if one not in subscription.items]
    prorated = [
        *proration.credit(call=call, subscription=subscription, items=gone),
        *proration.debit(call=call, subscription=subscription, items=added),
    ]
    if behaviour == "none" or not prorated:
        return change(call=call, subscription=subscription, items=items)
    if behaviour == "create_prorations":
        _leave_pending(call=call, items=prorated)
        return change(call=call, subscription=subscription, items=items)
    return _bill(call=call, subscription=subscription, items=items, prorated=prorated)


def _begin_anew(
    *, call: Call, subscription: Subscription, items: Sequence[SubscriptionItem], behaviour: str
) -> Subscription:
    end = end_of_period(start=call.now, anchor=call.now, price=items[0].price)
    fresh = tuple(replace(one, period_start=call.now, period_end=end) for one in items)
    credited = (
        [] if behaviour == "none" else proration.credit(call=call, subscription=subscription, items=subscription.items)
    )
    return _bill(call=call, subscription=subscription, items=fresh, prorated=credited, charged=fresh)


def _bill(
    *,
    call: Call,
    subscription: Subscription,
    items: tuple[SubscriptionItem, ...],
    prorated: Sequence[InvoiceItem],
    charged: Sequence[SubscriptionItem] = (),
) -> Subscription:
    anchor = call.now if charged else subscription.anchor
    pending = bills.pending(call=call, subscription=subscription)
    bill = bills.bill(
        call=call,
        subscription=subscription,
        reason="subscription_update",
        charged=charged,
        items=[*pending, *prorated],
    )
    ends = items[0].period_end if subscription.cancel_at_period_end else subscription.cancel_at
    change(
        call=call,
        subscription=subscription,
        items=items,
        anchor=anchor,
        cancel_at=ends,
        latest_invoice=bill.invoice.id,
    )
    invoice = bills.store(call=call, bill=bill)
    collecting.finalize_and_collect(call=call, invoice=invoice)
    return call.account.subscriptions.get(subscription.id)


def _leave_pending(*, call: Call, items: Sequence[InvoiceItem]) -> None:
    for item in items:
        call.save(item)
        call.emit("invoiceitem.created", item)
