"""The features of a portal configuration, as sent, completed as the API shows them."""

from sandbox.stripe.call import Call
from sandbox.stripe.operations.subscriptions import FEEDBACK
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, parameter_missing
from sandbox.stripe.subscriptions.switching import PRORATIONS
from sandbox.stripe.thing import Json

FEATURES = (
    "customer_update", "invoice_history", "payment_method_update", "subscription_cancel", "subscription_update",
)  # fmt: skip
CUSTOMER_UPDATES = ("address", "email", "name", "phone", "shipping", "tax_id")
SUBSCRIPTION_UPDATES = ("price", "promotion_code", "quantity")
MODES = ("at_period_end", "immediately")


def features_sent(*, call: Call, current: Json) -> Json:
    """Return every feature: as sent, else as it was, else disabled."""
    sent = call.params.nested("features")
    sent.refuse_unknown(FEATURES)
    return {
        name: _feature(call=call, name=name, sent=sent.nested(name))
        if sent.has(name) or name not in current
        else current[name]
        for name in FEATURES
    }


def _feature(*, call: Call, name: str, sent: Params) -> Json:
    enabled = sent.boolean("enabled")
    if sent.form and enabled is None:
        raise parameter_missing(param=sent.name_of("enabled"))
    known: Json = {"enabled": bool(enabled)}
    if name == "customer_update":
        return known | {"allowed_updates": _words(sent, "allowed_updates", among=CUSTOMER_UPDATES)}
    if name == "payment_method_update":
        return known | {"payment_method_configuration": None}
    if name == "subscription_cancel":
        return known | _cancel(sent)
    if name == "subscription_update":
        return known | _update(call=call, sent=sent)
    return known


def _cancel(sent: Params) -> Json:
    reason = sent.nested("cancellation_reason")
    options = _words(reason, "options", among=FEEDBACK)
    return {
        "cancellation_reason": {"enabled": bool(reason.boolean("enabled")), "options": options},
        "mode": sent.choice("mode", among=MODES) or "at_period_end",
        "proration_behavior": sent.choice("proration_behavior", among=PRORATIONS) or "none",
    }


def _update(*, call: Call, sent: Params) -> Json:
    products = sent.nested("products")
    allowed = _words(sent, "default_allowed_updates", among=SUBSCRIPTION_UPDATES)
    found = [_product(call=call, sent=products.nested(position)) for position in products.form]
    if sent.boolean("enabled") and not (allowed and found):
        missing = "products" if allowed else "default_allowed_updates"
        raise parameter_missing(param=sent.name_of(missing))
    return {
        "billing_cycle_anchor": None,
        "default_allowed_updates": allowed,
        "products": found,
        "proration_behavior": sent.choice("proration_behavior", among=PRORATIONS) or "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    }


def _product(*, call: Call, sent: Params) -> Json:
    product = call.account.products.get(sent.required("product"), param=sent.name_of("product"))
    prices = [call.account.prices.get(one, param=sent.name_of("prices")) for one in sent.texts("prices")]
    stray = next((one.id for one in prices if one.product != product.id), None)
    if stray:
        raise Refusal(f"The price {stray} does not belong to the product {product.id}.", param=sent.name_of("prices"))
    return {
        "adjustable_quantity": {"enabled": False, "maximum": None, "minimum": 1},
        "prices": [one.id for one in prices],
        "product": product.id,
    }


def _words(sent: Params, name: str, *, among: tuple[str, ...]) -> list[str]:
    words = sent.texts(name)
    wrong = next((one for one in words if one not in among), None)
    if wrong:
        raise Refusal(f"Invalid {sent.name_of(name)}: must be one of {', '.join(among)}", param=sent.name_of(name))
    return words
