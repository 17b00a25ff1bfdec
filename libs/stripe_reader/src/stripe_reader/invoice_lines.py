"""The lines of an invoice: which purchase and price, how much, less which discount, plus which tax."""

from collections.abc import Sequence
from datetime import datetime

from stripe_reader.origin import metadata_of
from stripe_reader.stripe_json import Json, entries, flag, id_of, integer, optional_time, part, required_id, text
from stripe_reader.value import Value


class InvoiceLine(Value):
    """One line; amounts in minor units of `currency`, before discount and tax."""

    line_id: str
    amount: int
    currency: str
    price_id: str | None
    purchase_id: str | None
    addon_slug: str | None
    discount_cents: int
    tax_cents: int
    """Exclusive tax only: what was added to `amount`."""


def read_lines(invoice: Json, *, currency: str) -> tuple[InvoiceLine, ...]:
    """Return all lines that the invoice carries (Stripe embeds ten); `currency` is the invoice's. Raises UnknownShape.

    Source: https://docs.stripe.com/api/invoice-line-item/object.
    """
    return tuple([_line(line, currency=currency) for line in entries(invoice, "lines")])


def sole_purchase(lines: Sequence[InvoiceLine]) -> str | None:
    """Return the purchase that the lines name, if they name exactly one."""
    named = {line.purchase_id for line in lines if line.purchase_id}
    return named.pop() if len(named) == 1 else None


def read_subscription_period_end(invoice: Json) -> datetime | None:
    """Return until when the subscription's own lines run. Raises UnknownShape.

    A proration may credit a period that is given up, so none counts.
    """
    own = [line for line in entries(invoice, "lines") if _is_of_subscription(line) and not _is_proration(line)]
    return max(filter(None, [optional_time(part(line, "period"), "end") for line in own]), default=None)


def read_subscription_cents(invoice: Json) -> int:
    """Return what the subscription's own lines cost: less their discounts, plus exclusive tax. Raises UnknownShape.

    Minor units of the invoice's currency; what was bought with the plan is not part of it.
    """
    own = [line for line in entries(invoice, "lines") if _is_of_subscription(line)]
    return sum([integer(line, "amount") - _discount(line) + _exclusive_tax(line) for line in own])


def _is_of_subscription(line: Json) -> bool:
    """Read `type` up to 2025-02; from basil on `parent.type`."""
    return line.get("type") == "subscription" or part(line, "parent").get("type") == "subscription_item_details"


def _is_proration(line: Json) -> bool:
    parent = part(line, "parent", "subscription_item_details")
    return flag(line, "proration") or flag(parent, "proration")


def _line(line: Json, *, currency: str) -> InvoiceLine:
    metadata = metadata_of(line)
    return InvoiceLine(
        line_id=required_id(line, "id"),
        amount=integer(line, "amount"),
        currency=(text(line, "currency") or currency).upper(),
        price_id=_price_of(line),
        purchase_id=text(metadata, "purchase_id") or None,
        addon_slug=text(metadata, "addon_slug") or None,
        discount_cents=_discount(line),
        tax_cents=_exclusive_tax(line),
    )


def _price_of(line: Json) -> str | None:
    """Read `price` up to 2025-02, `pricing.price_details.price` from basil on; `plan` is the oldest name of the id."""
    price = line.get("price")
    if price is None:
        price = part(line, "pricing", "price_details").get("price")
    if price is None:
        price = line.get("plan")
    return id_of(price)


def _discount(line: Json) -> int:
    return sum([integer(discount, "amount") for discount in entries(line, "discount_amounts")])


def _exclusive_tax(line: Json) -> int:
    """Sum the tax on top of `amount`: `taxes[]` from basil on, `tax_amounts[]` before; inclusive tax is in it."""
    if taxes := entries(line, "taxes"):
        return sum([integer(tax, "amount") for tax in taxes if text(tax, "tax_behavior") == "exclusive"])
    return sum([integer(tax, "amount") for tax in entries(line, "tax_amounts") if tax.get("inclusive") is False])
