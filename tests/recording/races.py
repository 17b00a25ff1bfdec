"""Which of several messengers was first, the buyer's own request, an event or a look at Stripe, is no behaviour.

Neither is what only the one of them knows, nor what is heard of on the way when the later is heard before the earlier.
"""

import re
from typing import Any, Final

_WAYS: Final = (
    "paid while the buyer waited",
    "found paid by settling",
    "found by looking at its Checkout",
    r"found at Stripe: [^\"<\n]*?",
    "the subscription as Stripe has it now",
    "the charge's refunds as Stripe lists them",
    "the charge&#39;s refunds as Stripe lists them",
)
_WAY: Final = re.compile("|".join(_WAYS))
_EARLY: Final = r"[A-Z][a-z ]+ fact-\d+ What happened · a subscription that only says that it is ours [^·]*? Applied "
"""A line of the pages of what was set aside: it came before what it is about."""
_IN_TEXTS: Final = re.compile(
    rf"^Reason: (?:{'|'.join(_WAYS)})\n| · (?:{'|'.join(_WAYS)})(?= <| [A-Z]|$)|(?<= stripe) · evt_\w+|{_EARLY}",
    re.MULTILINE,
)
CAUSE: Final = "(whoever came first)"
LEARNED: Final = frozenset({"stripe_charge_id", "stripe_payment_intent_id", "stripe_subscription_id"})
"""Stripe's ids that not every messenger knows."""
LOOKS: Final = frozenset(
    {
        *("settle", "settle_checkout", "identify", "fetch_next_charge", "compare_subscriptions", "void"),
        *("look_at_invoice", "look_at_charge", "look_at_payment", "look_at_subscription", "adopt_subscriptions"),
        *("end_subscription", "sweep", "sweep_day", "sweep_subscriptions"),
    }
)
"""Kinds of jobs that are asked for in doubt: whether there was one depends on the order of events."""


def without_races(value: Any) -> Any:
    """Return `value` without what says who reported it first; lines of a history that changed nothing go."""
    if isinstance(value, str):
        return _IN_TEXTS.sub("", value)
    if isinstance(value, list):
        return [without_races(one) for one in value if not (isinstance(one, dict) and one.get("stale"))]
    if not isinstance(value, dict):
        return value
    found = {name: "(known or not)" if name in LEARNED else without_races(one) for name, one in value.items()}
    if "stripe_event_id" in found and "reason" in found and found.get("actor", "stripe") == "stripe":
        found["stripe_event_id"] = CAUSE
        if found["reason"] is None or _WAY.fullmatch(found["reason"]):
            found["reason"] = CAUSE
    return found


def is_on_the_way(fact: Any) -> bool:
    """Return whether a fact of a workspace tells of a subscription before it was active, or was shown whole."""
    body = fact["body"] or {}
    return body.get("status") == "incomplete" or ("interval" in body and body["interval"] is None)


def as_heard_alone(name: str, value: Any) -> Any:
    """Return a fact or a mail without what its fact, under `name`, says of the workspace's facts before it."""
    kept = {field: one for field, one in value[name].items() if field not in {"sequence", "previous_status"}}
    return value | {name: kept}
