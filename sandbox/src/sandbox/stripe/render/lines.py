"""How invoice items and the lines made from them look before and since basil."""

from sandbox.stripe.invoice_model import InvoiceItem, Line
from sandbox.stripe.model import Json
from sandbox.stripe.render import adjustments
from sandbox.stripe.render.catalog import plan, price
from sandbox.stripe.versions import Era


def line(thing: Line, era: Era) -> Json:
    """Render https://docs.stripe.com/api/invoice-line-item/object"""
    return {
        "id": thing.id,
        "object": "line_item",
        "amount": thing.amount,
        "currency": thing.currency,
        "description": thing.description,
        "discount_amounts": adjustments.discount_amounts(thing.discount_amounts),
        "discountable": thing.discountable,
        "discounts": [],
        "invoice": thing.invoice,
        "livemode": False,
        "metadata": dict(thing.metadata),
        "period": {"end": thing.period_end, "start": thing.period_start},
        "quantity": thing.quantity,
        "subscription": thing.subscription if era is Era.LEGACY else None,
    } | (_legacy_line(thing) if era is Era.LEGACY else _basil_line(thing))


def _legacy_line(thing: Line) -> Json:
    made_by: Json = {"invoice_item": thing.invoice_item} if thing.invoice_item else {}
    made_by |= {"subscription_item": thing.subscription_item} if thing.subscription_item else {}
    return made_by | {
        "amount_excluding_tax": thing.amount - thing.taxed(inclusive=True),
        "plan": plan(thing.price),
        "price": price(thing.price, Era.LEGACY),
        "proration": thing.proration,
        "proration_details": {"credited_items": None},
        "tax_amounts": adjustments.tax_amounts(thing.taxes),
        "tax_rates": [adjustments.tax_rate(rate, Era.LEGACY) for rate in thing.tax_rates],
        "type": "invoiceitem" if thing.invoice_item else "subscription",
        "unit_amount_excluding_tax": str(thing.unit_amount),
    }


def _basil_line(thing: Line) -> Json:
    return {
        "parent": _parent(thing),
        "pretax_credit_amounts": adjustments.pretax_credit_amounts(thing.discount_amounts),
        "pricing": _pricing(thing),
        "quantity_decimal": str(thing.quantity),
        "subtotal": thing.amount,
        "taxes": adjustments.taxes(thing.taxes),
    }


def _parent(thing: Line) -> Json:
    """Return a subscription's item, for its period or a proration of it; else the invoice item that was added."""
    shared: Json = {
        "invoice_item": thing.invoice_item,
        "proration": thing.proration,
        "proration_details": {"credited_items": None},
        "subscription": thing.subscription,
    }
    if thing.subscription_item is None:
        details = {"invoice_item_details": shared, "subscription_item_details": None}
        return {**details, "type": "invoice_item_details"}
    shared["subscription_item"] = thing.subscription_item
    return {
        "invoice_item_details": None,
        "subscription_item_details": shared,
        "type": "subscription_item_details",
    }


def invoice_item(thing: InvoiceItem, era: Era) -> Json:
    """Render https://docs.stripe.com/api/invoiceitems/object"""
    return {
        "id": thing.id,
        "object": "invoiceitem",
        "amount": thing.amount,
        "currency": thing.currency,
        "customer": thing.customer,
        "date": thing.created,
        "description": thing.description,
        "discountable": thing.discountable,
        "discounts": [],
        "invoice": thing.invoice,
        "livemode": False,
        "metadata": dict(thing.metadata),
        "period": {"end": thing.period_end, "start": thing.period_start},
        "proration": thing.proration,
        "quantity": thing.quantity,
        "tax_rates": [adjustments.tax_rate(rate, era) for rate in thing.tax_rates],
        "test_clock": None,
    } | (_legacy_item(thing) if era is Era.LEGACY else _basil_item(thing))


def _legacy_item(thing: InvoiceItem) -> Json:
    return {
        "plan": plan(thing.price),
        "price": price(thing.price, Era.LEGACY),
        "subscription": thing.subscription,
        "unit_amount": thing.unit_amount,
        "unit_amount_decimal": str(thing.unit_amount),
    }


def _basil_item(thing: InvoiceItem) -> Json:
    return {
        "customer_account": None,
        "net_amount": thing.amount,
        "parent": _parent_of_item(thing),
        "pricing": _pricing(thing),
        "quantity_decimal": str(thing.quantity),
    }


def _parent_of_item(thing: InvoiceItem) -> Json | None:
    if thing.subscription is None:
        return None
    named: Json = {"subscription": thing.subscription}
    named |= {"subscription_item": thing.subscription_item} if thing.subscription_item else {}
    return {"subscription_details": named, "type": "subscription_details"}


def _pricing(thing: Line | InvoiceItem) -> Json:
    return {
        "price_details": {"price": thing.price.id, "product": thing.price.product},
        "type": "price_details",
        "unit_amount_decimal": str(thing.unit_amount),
    }
