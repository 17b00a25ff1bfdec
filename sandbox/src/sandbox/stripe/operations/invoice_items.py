"""Invoice items (https://docs.stripe.com/api/invoiceitems), bound to a draft by `invoice` or pending."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.invoice_model import Invoice, InvoiceItem, Line
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.model import Json, Price
from sandbox.stripe.money import check_amount, currency_of
from sandbox.stripe.operations import customers, tax_rates
from sandbox.stripe.operations.inline_prices import price_made, unit_amount_of
from sandbox.stripe.params import Params
from sandbox.stripe.pricing import priced
from sandbox.stripe.refusals import Refusal, parameter_missing

NOT_EDITABLE = (
    "The specified invoice can no longer be edited. Instead, consider creating additional invoice items that will be "
    "applied to the next invoice. You can either manually generate the next invoice or wait for it to be automatically "
    "generated at the end of the billing cycle."
)


def create(call: Call) -> InvoiceItem:
    """Add an item to the draft `invoice`, or leave it pending for the customer's next one."""
    invoice = _invoice_of(call)
    item = call.save(_item_sent(call=call, invoice=invoice))
    call.emit("invoiceitem.created", item)
    if invoice:
        line = line_of(call=call, item=item, invoice=invoice)
        _set_lines(call=call, invoice=invoice, lines=(line, *invoice.lines))
    return item


def retrieve(call: Call) -> InvoiceItem:
    return call.account.invoice_items.get(call.id)


def update(call: Call) -> InvoiceItem:
    """Change an item of a draft, or one that is pending."""
    before = call.account.invoice_items.get(call.id)
    amount = call.params.integer("amount")
    item = replace(
        before,
        description=call.params.unset_or_text("description", current=before.description),
        metadata=call.params.metadata(current=before.metadata),
        amount=before.amount if amount is None else amount,
        unit_amount=before.unit_amount if amount is None else amount,
    )
    _carry_to_line(call=call, item=item)
    return call.save(item)


def delete(call: Call) -> Json:
    """Delete an item of a draft, or one that is pending."""
    item = call.account.invoice_items.get(call.id)
    if item.invoice:
        invoice = draft(call=call, id=item.invoice)
        lines = tuple(line for line in invoice.lines if line.invoice_item != item.id)
        _set_lines(call=call, invoice=invoice, lines=lines)
    call.account.invoice_items.remove(item)
    call.emit("invoiceitem.deleted", item)
    return {"id": item.id, "object": "invoiceitem", "deleted": True}


def list_(call: Call) -> Json:
    """Items by customer, invoice, or whether they are still pending."""
    params = call.params
    invoice, pending = params.text("invoice"), params.boolean("pending")
    account = call.account
    things = filtered(held=account.invoice_items, call=call, by="customer", known=account.customers)
    things = (one for one in things if invoice in (None, one.invoice))
    kept = (one for one in things if pending is None or pending == (one.invoice is None))
    return page(call=call, things=kept, url="/v1/invoiceitems")


def pending_of(*, call: Call, customer: str, currency: str) -> list[InvoiceItem]:
    """Return what `pending_invoice_items_behavior=include` sweeps into a new draft."""
    held = call.account.invoice_items.where("customer", customer)
    return [one for one in held if one.invoice is None and one.currency == currency]


def line_of(*, call: Call, item: InvoiceItem, invoice: Invoice) -> Line:
    """Return the line that shows `item` on `invoice`, with its metadata."""
    return Line(
        id=new_id(prefix="il"),
        created=call.now,
        metadata=item.metadata,
        invoice=invoice.id,
        invoice_item=item.id,
        subscription=item.subscription,
        subscription_item=item.subscription_item,
        proration=item.proration,
        amount=item.amount,
        currency=item.currency,
        quantity=item.quantity,
        unit_amount=item.unit_amount,
        price=item.price,
        description=item.description,
        discountable=item.discountable,
        tax_rates=item.tax_rates,
        period_start=item.period_start,
        period_end=item.period_end,
    )


def draft(*, call: Call, id: str) -> Invoice:  # noqa: A002
    """Return the invoice, which has to be a draft. Raises invoice_not_editable."""
    invoice = call.account.invoices.get(id, param="invoice")
    if invoice.status != "draft":
        raise Refusal(NOT_EDITABLE, code="invoice_not_editable", param="invoice")
    return invoice


def _invoice_of(call: Call) -> Invoice | None:
    named = call.params.text("invoice")
    return draft(call=call, id=named) if named else None


def _item_sent(*, call: Call, invoice: Invoice | None) -> InvoiceItem:
    params = call.params
    customer = _customer_of(call=call, invoice=invoice)
    named = _price_of(call)
    currency = _currency_of(params=params, price=named, invoice=invoice)
    quantity = params.integer("quantity")
    quantity = 1 if quantity is None else quantity
    unit_amount, amount = _amounts(params=params, price=named, quantity=quantity)
    check_amount(amount, currency=currency)
    period = params.nested("period")
    return InvoiceItem(
        id=new_id(prefix="ii"),
        created=call.now,
        metadata=params.metadata(),
        customer=customer,
        invoice=invoice.id if invoice else None,
        amount=amount,
        currency=currency,
        quantity=quantity,
        unit_amount=unit_amount,
        price=named or _price_behind(call=call, currency=currency, unit_amount=unit_amount),
        description=params.text("description") or _name_of(call=call, price=named),
        discountable=params.boolean("discountable") is not False,
        tax_rates=tax_rates.rates_named(call=call, params=params, name="tax_rates", current=()),
        period_start=period.integer("start") or call.now,
        period_end=period.integer("end") or call.now,
    )


def _customer_of(*, call: Call, invoice: Invoice | None) -> str:
    named = call.params.text("customer")
    if named is None and invoice is None:
        raise parameter_missing(param="customer")
    if named:
        customers.living(call=call, id=named)
    if invoice and named not in (None, invoice.customer):
        raise Refusal(f"The invoice {invoice.id} does not belong to customer {named}.", param="invoice")
    return named or str(invoice and invoice.customer)


def _price_of(call: Call) -> Price | None:
    """Return `pricing[price]` since basil, `price` before it, or `price_data` for a price of this item alone."""
    params = call.params
    named = params.nested("pricing").text("price") or params.text("price")
    if named:
        return call.account.prices.get(named, param="price")
    return price_made(call=call, data=params.nested("price_data")) if params.has("price_data") else None


def _price_behind(*, call: Call, currency: str, unit_amount: int) -> Price:
    """Return the inactive price that Stripe shows for a bare amount; no list has it."""
    return Price(
        id=new_id(prefix="price"),
        created=call.now,
        product=new_id(prefix="prod"),
        currency=currency,
        unit_amount=unit_amount,
        active=False,
    )


def _amounts(*, params: Params, price: Price | None, quantity: int) -> tuple[int, int]:
    """Return unit amount and amount: from the price, from `unit_amount_decimal` by quantity, or `amount` alone."""
    amount = params.integer("amount")
    if amount is not None and (price or params.has("unit_amount_decimal")):
        raise Refusal("You may only specify one of these parameters: amount, price, unit_amount_decimal.")
    if amount is not None:
        return amount, amount
    unit_amount = price.unit_amount if price else unit_amount_of(params) if params.has("unit_amount_decimal") else None
    if unit_amount is None:
        raise parameter_missing(param="amount")
    return unit_amount, unit_amount * quantity


def _currency_of(*, params: Params, price: Price | None, invoice: Invoice | None) -> str:
    sent = params.text("currency")
    currency = currency_of(sent) if sent else price.currency if price else invoice.currency if invoice else "usd"
    if price and currency != price.currency:
        raise Refusal(
            f"The price specified only supports `{price.currency}`. This doesn't match the expected currency: "
            f"`{currency}`."
        )
    if invoice and currency != invoice.currency:
        message = (
            f"The currency of the invoice item ({currency}) doesn't match the currency of the invoice it is added to "
            f"({invoice.currency})."
        )
        raise Refusal(message, param="currency")
    return currency


def _name_of(*, call: Call, price: Price | None) -> str | None:
    product = price and call.account.products.find(price.product)
    return product.name if product else None


def _carry_to_line(*, call: Call, item: InvoiceItem) -> None:
    if item.invoice is None:
        return
    invoice = draft(call=call, id=item.invoice)
    fresh = {name: getattr(item, name) for name in ("amount", "unit_amount", "description", "metadata")}
    lines = (replace(line, **fresh) if line.invoice_item == item.id else line for line in invoice.lines)
    _set_lines(call=call, invoice=invoice, lines=tuple(lines))


def _set_lines(*, call: Call, invoice: Invoice, lines: tuple[Line, ...]) -> None:
    changed = call.save(priced(replace(invoice, lines=lines)))
    call.emit("invoice.updated", changed, before=invoice)
