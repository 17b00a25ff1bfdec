"""The lines of an invoice: which purchase and price, how much, less which discount, plus which tax."""

from collections.abc import Sequence
from typing import Any

from webhook_gateway.presence import Json, entries, flag, id_of, integer, part, required_id, text
from webhook_gateway.stripe_event import metadata_of, moment_of


def lines_of(invoice: Json, *, currency: str) -> list[dict[str, Any]]:
    """All lines that the event carries (Stripe embeds ten), as `InvoiceLine`s."""
    return [_line(line, currency=currency) for line in entries(invoice, "lines")]


def sole_purchase(lines: Sequence[Json]) -> str | None:
    """The purchase that the lines name, if they name exactly one."""
    named = {line["purchase_id"] for line in lines if line["purchase_id"]}
    return named.pop() if len(named) == 1 else None


def subscription_period_end(invoice: Json) -> str | None:
    """Until when the subscription's own lines run. A proration may credit a period that is given up, so none counts."""
    own = [line for line in entries(invoice, "lines") if _is_of_subscription(line) and not _is_proration(line)]
    return max(filter(None, [moment_of(part(line, "period"), "end") for line in own]), default=None)


def _is_of_subscription(line: Json) -> bool:
    """`type` up to 2025-02; from basil on `parent.type`."""
    return line.get("type") == "subscription" or part(line, "parent").get("type") == "subscription_item_details"


def _is_proration(line: Json) -> bool:
    parent = part(line, "parent", "subscription_item_details")
    return flag(line, "proration") or flag(parent, "proration")


def _line(line: Json, *, currency: str) -> dict[str, Any]:
    metadata = metadata_of(line)
    return {
        "line_id": required_id(line, "id"),
        "amount": integer(line, "amount"),
        "currency": (text(line, "currency") or currency).upper(),
        "price_id": price_of(line),
        "purchase_id": text(metadata, "purchase_id") or None,
        "addon_slug": text(metadata, "addon_slug") or None,
        "discount_cents": sum([integer(discount, "amount") for discount in entries(line, "discount_amounts")]),
        "tax_cents": exclusive_tax(line),
    }


def price_of(line: Json) -> str | None:
    """`price` up to 2025-02, `pricing.price_details.price` from basil on; `plan` is the oldest name of the same id."""
    price = line.get("price")
    if price is None:
        price = part(line, "pricing", "price_details").get("price")
    if price is None:
        price = line.get("plan")
    return id_of(price)


def exclusive_tax(line: Json) -> int:
    """Minor units added on top of `amount`: `taxes[]` from basil on, `tax_amounts[]` before; inclusive tax is in it."""
    if taxes := entries(line, "taxes"):
        return sum([integer(tax, "amount") for tax in taxes if text(tax, "tax_behavior") == "exclusive"])
    return sum([integer(tax, "amount") for tax in entries(line, "tax_amounts") if tax.get("inclusive") is False])
