"""`expand[]`: ids replaced by their objects (https://docs.stripe.com/expand)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.stripe.call import Call
from sandbox.stripe.model import Json
from sandbox.stripe.refusals import parameter_invalid
from sandbox.stripe.render import render
from sandbox.stripe.versions import Era, era_of

DEEPEST: Final = 4
"""`data` of a list counts (https://docs.stripe.com/expand#how-it-works)."""

PORTAL_PRODUCTS: Final = "features.subscription_update.products"

PAID_WITH: Final = ("charge", "payment_intent")
"""What an invoice's payment may be of; only the one that it is of is in it."""

EXPANDABLE: Final = frozenset(
    [
        "charge",
        "configuration",
        "coupon",
        "customer",
        "default_payment_method",
        "default_price",
        "discount",
        "discounts",
        "invoice",
        "latest_invoice",
        "latest_charge",
        "payment_intent",
        "payment_method",
        "price",
        "product",
        "setup_intent",
        "subscription",
        "tax_rate",
    ]
)


def expand(*, call: Call, body: Json, paths: list[str]) -> Json:
    """Replace what `paths` name in `body`. Raises 400 for what cannot be expanded in this version.

    A deleted object has nothing left to expand.
    """
    if body.get("deleted"):
        return body
    for path in paths:
        if path.endswith(PORTAL_PRODUCTS):
            _show_products(call=call, body=body)
            continue
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise parameter_invalid(f"You cannot expand more than {DEEPEST} levels of a property.", param="expand")
        _walk(call=call, node=body, steps=steps, path=path)
    return body


def _show_products(*, call: Call, body: Json) -> None:
    """`products` of portal configurations, which are never shown unless asked for."""
    for shown in body.get("data", [body]):
        known = call.account.portal_configurations.get(shown["id"])
        shown["features"]["subscription_update"]["products"] = known.features["subscription_update"]["products"]


def _walk(*, call: Call, node: Any, steps: list[str], path: str) -> None:
    if not steps or node is None:
        return
    if isinstance(node, list):
        for item in node:
            _walk(call=call, node=item, steps=steps, path=path)
        return
    if isinstance(node, dict) and not _is_paid_otherwise(node, steps[0]):
        _replace(call=call, node=node, name=steps[0], path=path)
        _walk(call=call, node=node[steps[0]], steps=steps[1:], path=path)


def _is_paid_otherwise(node: Json, name: str) -> bool:
    """Return whether an invoice's payment has a charge alone, of which no intent can be shown, or the reverse."""
    return name in PAID_WITH and name not in node and node.get("type") in PAID_WITH


def _replace(*, call: Call, node: Json, name: str, path: str) -> None:
    include = INCLUDABLE.get((str(node.get("object")), name))
    if include:
        node[name] = include(call, node)
    if name not in node:
        raise parameter_invalid(f"This property cannot be expanded ({path}).", param="expand")
    if name in EXPANDABLE:
        held = node[name]
        node[name] = [_object(call, one) for one in held] if isinstance(held, list) else _object(call, held)


def _object(call: Call, held: Any) -> Any:
    """Return the object for its id; whatever else is held stays."""
    found = call.account.look_up(held) if isinstance(held, str) else None
    return render(found, version=call.version) if found else held


def _invoice_payments(call: Call, node: Json) -> Json:
    """Return `payments` of an invoice, since basil only, and never unless asked for."""
    if era_of(call.version) is Era.LEGACY:
        raise parameter_invalid("This property cannot be expanded (payments).", param="expand")
    found = call.account.invoice_payments.where("invoice", node["id"])
    return _list(call=call, things=found, url="/v1/invoice_payments")


def _paid_off_stripe(call: Call, node: Json) -> int:
    """Return `amount_paid_off_stripe` of an invoice, never in events and never unless asked for.

    Source: https://docs.stripe.com/changelog/dahlia/2026-05-27/invoice-object-amount-paid-off-stripe-property.
    """
    if era_of(call.version) is Era.LEGACY:
        raise parameter_invalid("This property cannot be expanded (amount_paid_off_stripe).", param="expand")
    known = call.account.invoices.find(node["id"])
    return known.paid_off_stripe if known else 0


def _charge_refunds(call: Call, node: Json) -> Json:
    """Return `refunds` of a charge: not included unless asked for since 2022-11-15."""
    found = call.account.refunds.where("charge", node["id"])
    return _list(call=call, things=found, url=f"/v1/charges/{node['id']}/refunds")


def _list(*, call: Call, things: list[Any], url: str) -> Json:
    shown = [render(thing, version=call.version) for thing in things[:10]]
    return {"object": "list", "data": shown, "has_more": len(things) > 10, "url": url}


def _line_items(call: Call, node: Json) -> Json:
    """Return `line_items` of a Checkout session, in the order in which they were sent."""
    found = list(call.account.checkout_sessions.get(node["id"]).line_items)
    return _list(call=call, things=found, url=f"/v1/checkout/sessions/{node['id']}/line_items")


INCLUDABLE: Final[Mapping[tuple[str, str], Callable[[Call, Json], Any]]] = {
    ("invoice", "amount_paid_off_stripe"): _paid_off_stripe,
    ("invoice", "payments"): _invoice_payments,
    ("charge", "refunds"): _charge_refunds,
    ("checkout.session", "line_items"): _line_items,
}
