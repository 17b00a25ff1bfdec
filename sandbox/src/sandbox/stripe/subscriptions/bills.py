"""What is on a subscription's invoice: its items' periods, and invoice items before them, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.invoice_model import Invoice, InvoiceItem, Line
from sandbox.stripe.model import Customer
from sandbox.stripe.money import shown
from sandbox.stripe.operations import discounts, invoice_items
from sandbox.stripe.pricing import priced
from sandbox.stripe.subscriptions.model import Subscription, SubscriptionItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A draft that is not stored yet, with the invoice items that it takes in."""

    invoice: Invoice
    items: tuple[InvoiceItem, ...]


def bill(
    *,
    call: Call,
    subscription: Subscription,
    customer: Customer | None = None,
    reason: str,
    charged: Sequence[SubscriptionItem] = (),
    items: Sequence[InvoiceItem] = (),
    period: tuple[int, int] | None = None,
    finalizes_at: int | None = None,
) -> Bill:
    """Write a draft for `charged` periods and `items`. Stores nothing, tells nobody; `customer` need not be stored."""
    customer = customer or call.account.customers.get(subscription.customer)
    start, end = period or (call.now, call.now)
    invoice = Invoice(
        id=new_id(prefix="in"),
        created=call.now,
        customer=customer.id,
        customer_email=customer.email,
        customer_name=customer.name,
        currency=subscription.currency,
        auto_advance=True,
        billing_reason=reason,
        collection_method=subscription.collection_method,
        subscription=subscription.id,
        subscription_metadata=subscription.metadata,
        period_start=start,
        period_end=end,
        finalizes_at=finalizes_at,
        discounts=discounts.inherited(customer=customer, currency=subscription.currency),
    )
    bound = tuple(replace(item, invoice=invoice.id) for item in items)
    lines = [
        *(invoice_items.line_of(call=call, item=item, invoice=invoice) for item in reversed(bound)),
        *(_line(call=call, invoice=invoice, subscription=subscription, item=item) for item in reversed(charged)),
    ]
    return Bill(invoice=priced(replace(invoice, lines=tuple(lines))), items=bound)


def pending(*, call: Call, subscription: Subscription) -> list[InvoiceItem]:
    """Return what Stripe sweeps into a subscription's next invoice: the customer's items that are bound to none."""
    found = invoice_items.pending_of(call=call, customer=subscription.customer, currency=subscription.currency)
    return list(reversed(found))


def store(*, call: Call, bill: Bill) -> Invoice:
    """Store the draft and its items, and tell of it."""
    for item in bill.items:
        is_new = call.account.invoice_items.find(item.id) is None
        call.save(item)
        if is_new:
            call.emit("invoiceitem.created", item)
    call.save(bill.invoice)
    call.emit("invoice.created", bill.invoice)
    return bill.invoice


def _line(*, call: Call, invoice: Invoice, subscription: Subscription, item: SubscriptionItem) -> Line:
    """Its metadata is the subscription's (https://docs.stripe.com/api/invoice-line-item/object)."""
    return Line(
        id=new_id(prefix="il"),
        created=call.now,
        metadata=subscription.metadata,
        invoice=invoice.id,
        invoice_item=None,
        subscription=subscription.id,
        subscription_item=item.id,
        amount=0 if subscription.status == "trialing" else item.amount,
        currency=subscription.currency,
        quantity=item.quantity,
        unit_amount=0 if subscription.status == "trialing" else item.price.unit_amount,
        price=item.price,
        description=_description(call=call, subscription=subscription, item=item),
        discountable=True,
        period_start=item.period_start,
        period_end=item.period_end,
    )


def _description(*, call: Call, subscription: Subscription, item: SubscriptionItem) -> str:
    product = call.account.products.find(item.price.product)
    name = product.name if product else item.price.product
    if subscription.status == "trialing":
        return f"Trial period for {name}"
    interval = (item.price.recurring or {}).get("interval")
    return f"{item.quantity} × {name} (at {shown(item.price.unit_amount, item.price.currency)} / {interval})"
