"""Invoices (https://docs.stripe.com/api/invoices)."""

from dataclasses import replace

from sandbox.stripe import invoicing, payments
from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.model import Json, PaymentMethod
from sandbox.stripe.money import currency_of
from sandbox.stripe.operations import customers, discounts, invoice_items, payment_methods, tax_rates
from sandbox.stripe.pricing import priced
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.render import render
from sandbox.stripe.subscriptions import collecting, previewing

STATUSES = ("draft", "open", "paid", "uncollectible", "void")

REQUIRES_ACTION = (
    "This payment requires additional user action before it can be completed successfully. Payment can be completed "
    "using the PaymentIntent associated with the invoice. For more details see: "
    "https://stripe.com/docs/billing/subscriptions/overview#requires-action"
)


def create(call: Call) -> Invoice:
    """Make a draft; pending items come in only with `pending_invoice_items_behavior=include`."""
    params = call.params
    customer = customers.living(call=call, id=params.required("customer"))
    invoice = Invoice(
        id=new_id(prefix="in"),
        created=call.now,
        customer=customer.id,
        customer_email=customer.email,
        customer_name=customer.name,
        period_start=call.now,
        period_end=call.now,
        currency=currency_of(params.text("currency") or customer.currency or "usd"),
        collection_method=_collection_method(call) or "charge_automatically",
    )
    inherited = discounts.inherited(customer=customer, currency=invoice.currency)
    invoice = _changed(call=call, invoice=replace(invoice, discounts=inherited))
    invoice = call.save(priced(_with_pending(call=call, invoice=invoice)))
    call.emit("invoice.created", invoice)
    return invoice


def retrieve(call: Call) -> Invoice:
    return call.account.invoices.get(call.id)


def update(call: Call) -> Invoice:
    """Change a draft; of a finalised invoice only its metadata and `auto_advance`."""
    before = call.account.invoices.get(call.id)
    locked = call.params.form.keys() - {"metadata", "auto_advance", "expand", "default_payment_method"}
    if before.status != "draft" and locked:
        message = f"Finalized invoices can't be updated in this way: {', '.join(sorted(locked))}"
        raise Refusal(message, code="invoice_not_editable")
    invoice = call.save(priced(_changed(call=call, invoice=before)))
    call.emit("invoice.updated", invoice, before=before)
    return invoice


def delete(call: Call) -> Json:
    """Only a draft can be deleted; its items go with it."""
    invoice = call.account.invoices.get(call.id)
    if invoice.status != "draft":
        message = (
            "You can only delete draft invoices. To stop collection of an open invoice, void it or mark it as "
            "uncollectible."
        )
        raise Refusal(message, code="invoice_not_editable")
    for line in invoice.lines:
        if line.invoice_item:
            call.account.invoice_items.remove(call.account.invoice_items.get(line.invoice_item))
    call.account.invoices.remove(invoice)
    call.emit("invoice.deleted", invoice)
    return {"id": invoice.id, "object": "invoice", "deleted": True}


def list_(call: Call) -> Json:
    """Invoices by customer, subscription, status and collection method."""
    params = call.params
    status, method = params.choice("status", among=STATUSES), _collection_method(call)
    account = call.account
    things = filtered(held=account.invoices, call=call, by="customer", known=account.customers)
    kept = (one for one in things if status in (None, one.status) and method in (None, one.collection_method))
    kept = (one for one in kept if not params.has("subscription") or one.subscription == params.text("subscription"))
    return page(call=call, things=kept, url="/v1/invoices")


def list_lines(call: Call) -> Json:
    """List `/v1/invoices/{id}/lines`: all of them, where the invoice itself shows the first ten."""
    invoice = call.account.invoices.get(call.id)
    return page(call=call, things=invoice.lines, url=f"/v1/invoices/{invoice.id}/lines")


def finalize(call: Call) -> Invoice:
    """Finalise the invoice; `auto_advance` can be set on the way."""
    invoice = call.account.invoices.get(call.id)
    advance = call.params.boolean("auto_advance")
    advanced = replace(invoice, auto_advance=invoice.auto_advance if advance is None else advance)
    return invoicing.finalize(call=call, invoice=advanced)


def pay(call: Call) -> Invoice:
    """Pay now, off-session unless asked otherwise. A draft is finalised first.

    Raises 402 for a decline, and for `invoice_payment_intent_requires_action` where the bank wants the customer.
    """
    invoice = call.account.invoices.get(call.id)
    if invoice.status == "draft":
        invoice = invoicing.finalize(call=call, invoice=invoice)
        if invoice.status == "paid":
            return invoice
    invoicing.refuse_unless(invoice, among=("open", "uncollectible"), verb="pay")
    if call.params.boolean("paid_out_of_band"):
        return invoicing.settle_out_of_band(call=call, invoice=invoice)
    return _pay_with(call=call, invoice=invoice, method=_method_for(call=call, invoice=invoice))


def create_preview(call: Call) -> Invoice:
    """Of a subscription's next invoice, as things stand."""
    known = call.account.subscriptions.get(call.params.required("subscription"), param="subscription")
    return previewing.upcoming(call=call, subscription=known)


def void(call: Call) -> Invoice:
    return invoicing.void(call=call, invoice=call.account.invoices.get(call.id))


def mark_uncollectible(call: Call) -> Invoice:
    return invoicing.mark_uncollectible(call=call, invoice=call.account.invoices.get(call.id))


def _pay_with(*, call: Call, invoice: Invoice, method: PaymentMethod) -> Invoice:
    off_session = call.params.boolean("off_session") is not False
    intent = payments.attempt(
        call=call,
        intent=call.account.payment_intents.get(str(invoice.payment_intent)),
        method=method,
        off_session=off_session,
        return_url=None,
    )
    invoicing.follow(call=call, intent=intent)
    if intent.status == "requires_action":
        code = "invoice_payment_intent_requires_action"
        shown = render(intent, version=call.version)
        raise Refusal(REQUIRES_ACTION, status=402, type="card_error", code=code, payment_intent=shown)
    if intent.status not in ("succeeded", "processing"):
        raise payments.refusal_of(call=call, intent=intent)
    return call.account.invoices.get(invoice.id)


def _method_for(*, call: Call, invoice: Invoice) -> PaymentMethod:
    """Return the one named in the request, else the invoice's, the subscription's or the customer's default."""
    customer = customers.living(call=call, id=invoice.customer)
    named = call.params.text("payment_method") or call.params.text("source")
    known = None if named else collecting.method_for(call=call, invoice=invoice)
    chosen = known.id if known else named
    if chosen is None:
        message = (
            "There is no `default_payment_method` set on this Customer or Invoice. Please add a default payment "
            "method and try again."
        )
        raise Refusal(message)
    return payment_methods.attached(call=call, id=chosen, customer=customer.id)


def _changed(*, call: Call, invoice: Invoice) -> Invoice:
    params = call.params
    method = params.unset_or_text("default_payment_method", current=invoice.default_payment_method)
    if method and method != invoice.default_payment_method:
        payment_methods.attached(call=call, id=method, customer=invoice.customer)
    advance = params.boolean("auto_advance")
    return replace(
        invoice,
        metadata=params.metadata(current=invoice.metadata),
        auto_advance=invoice.auto_advance if advance is None else advance,
        default_payment_method=method,
        default_tax_rates=tax_rates.rates_named(
            call=call, params=params, name="default_tax_rates", current=invoice.default_tax_rates
        ),
        discounts=discounts.of_invoice(call=call, invoice=invoice, inherited=invoice.discounts),
        description=params.unset_or_text("description", current=invoice.description),
        footer=params.unset_or_text("footer", current=invoice.footer),
        statement_descriptor=params.unset_or_text("statement_descriptor", current=invoice.statement_descriptor),
        number=params.unset_or_text("number", current=invoice.number),
        due_date=params.integer("due_date") or invoice.due_date,
    )


def _with_pending(*, call: Call, invoice: Invoice) -> Invoice:
    wanted = call.params.choice("pending_invoice_items_behavior", among=("include", "exclude"))
    if wanted != "include":
        return invoice
    found = invoice_items.pending_of(call=call, customer=invoice.customer, currency=invoice.currency)
    items = [call.save(replace(item, invoice=invoice.id)) for item in found]
    lines = tuple(invoice_items.line_of(call=call, item=item, invoice=invoice) for item in items)
    return replace(invoice, lines=lines)


def _collection_method(call: Call) -> str | None:
    return call.params.choice("collection_method", among=("charge_automatically", "send_invoice"))
