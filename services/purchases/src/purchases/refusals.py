"""The problems that people meet here, each with its stable type."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.problems import Problem
from purchases.domain.plan import Usage
from purchases.domain.transitions import Refused, Status
from purchases.store.rows import Addon, Purchase


def workspace_not_found() -> Problem:
    """404 also for what is not yours: nobody learns which workspaces exist."""
    return Problem(404, "workspace-not-found", "There is no such workspace")


def no_workspace() -> Problem:
    """Return the 404 for somebody who asks for the page of a workspace and is in none that is known here."""
    return Problem(404, "no-workspace", "You are in no workspace")


def purchase_not_found() -> Problem:
    return Problem(404, "purchase-not-found", "There is no such purchase")


def addon_not_found(slug: str) -> Problem:
    return Problem(404, "addon-not-found", "There is no such add-on", addon=slug)


def addon_inactive(slug: str) -> Problem:
    return Problem(409, "addon-inactive", "This add-on is not for sale", addon=slug)


def price_changed(addon: Addon) -> Problem:
    """The price that the buyer saw is not the one it is sold at."""
    return Problem(
        409,
        "price-changed",
        "The price has changed",
        "Nothing was charged. Show the new price and ask again.",
        price_cents=addon.price_cents,
        currency=addon.currency,
    )


def already_purchased(holder: Purchase) -> Problem:
    return Problem(
        409,
        "already-purchased",
        "This add-on was bought already",
        "Nothing was charged.",
        purchase_id=str(holder.id),
        purchase_status=holder.status.value,
    )


def settling(holder: Purchase) -> Problem:
    """An earlier, failed attempt is being closed at Stripe; normally under a second."""
    return Problem(
        409,
        "settling",
        "The last attempt is still being closed",
        "Nothing was charged. Try again in a second.",
        headers={"Retry-After": "1"},
        purchase_id=str(holder.id),
    )


def payment_method_missing(*, setup_session_id: str, setup_url: str) -> Problem:
    """With the page where a card is saved."""
    return Problem(
        409,
        "payment-method-missing",
        "There is no saved payment method",
        "Nothing was charged. Save a card first.",
        setup_session_id=setup_session_id,
        setup_url=setup_url,
    )


def plan_not_found(slug: str) -> Problem:
    return Problem(404, "plan-not-found", "There is no such plan", plan=slug)


def plan_not_sold(*, plan: str, interval: str, currency: str | None) -> Problem:
    """It has no price for this, or none at Stripe yet."""
    return Problem(
        409,
        "plan-not-sold",
        "The plan is not sold like this",
        "Nothing was charged. Choose another interval or currency.",
        plan=plan,
        interval=interval,
        currency=currency,
    )


def currency_mismatch(addon: Addon, *, currency: str) -> Problem:
    """A Checkout has one currency; the add-on can be bought later, by itself."""
    return Problem(
        409,
        "currency-mismatch",
        "This add-on has another currency than the plan",
        "Nothing was charged. It can be bought by itself.",
        addon=addon.slug,
        addon_currency=addon.currency,
        currency=currency,
    )


def already_subscribed() -> Problem:
    return Problem(
        409,
        "already-subscribed",
        "This workspace has a subscription",
        "Nothing was charged. It is changed in the customer portal.",
    )


def portal_not_set_up() -> Problem:
    """`bootstrap-stripe` has not made the portal's configurations for this instance."""
    return Problem(
        503,
        "portal-not-set-up",
        "The customer portal is not set up",
        "Nothing was changed. Our team has to set it up at Stripe first.",
        headers={"Retry-After": "300"},
    )


def checkout_busy() -> Problem:
    """Another Checkout is being opened or ended, and Stripe has not said how that went."""
    return Problem(
        409,
        "checkout-busy",
        "Another Checkout is still open",
        "Nothing was charged here. Try again in a few seconds.",
        headers={"Retry-After": "3"},
    )


def checkout_confirming() -> Problem:
    """The last Checkout has been paid, and Stripe has not said yet what came of it."""
    return Problem(
        409,
        "checkout-busy",
        "A Checkout has been paid, and its subscription is on its way",
        "Nothing was charged here. Look at the plan again in a few seconds.",
        headers={"Retry-After": "3"},
    )


def checkout_completed(purchase_ids: Sequence[str]) -> Problem:
    """The Checkout that was in the way has been paid."""
    return Problem(
        409,
        "already-purchased",
        "It was bought in another Checkout",
        "Nothing was charged here.",
        purchase_ids=list(purchase_ids),
    )


def checkout_over(state: str) -> Problem:
    """A repeat of a request whose page is over."""
    return Problem(
        409, "checkout-over", "This Checkout is over", "Start another one, with another Idempotency-Key.", state=state
    )


def key_reused() -> Problem:
    return Problem(
        422, "idempotency-key-reused", "This Idempotency-Key was used with another body", "Nothing was done."
    )


def too_many_declines(*, retry_at: datetime, now: datetime) -> Problem:
    """Card testing: one workspace, many declines."""
    seconds = max(1, int((retry_at - now).total_seconds()) + 1)
    return Problem(
        429,
        "too-many-declines",
        "Too many cards were declined",
        "Nothing was charged. Try again later.",
        headers={"Retry-After": str(seconds)},
    )


def others_under_way() -> Problem:
    """Card testing: the attempts under way could all be declined; they end in seconds."""
    return Problem(
        429,
        "too-many-declines",
        "Other attempts to pay are still under way",
        "Nothing was charged. Try again in a second.",
        headers={"Retry-After": "1"},
    )


def too_many_requests(*, seconds: int) -> Problem:
    """The workspace, or the person, has used up what it may ask of Stripe."""
    return Problem(
        429,
        "too-many-requests",
        "Too many requests to the payment provider",
        "Nothing was charged. Try again later.",
        headers={"Retry-After": str(seconds)},
    )


def stripe_unavailable() -> Problem:
    """Asked for the customer and its card, Stripe did not answer; nothing has been written."""
    return Problem(
        503,
        "stripe-unavailable",
        "The payment provider does not answer",
        "Nothing was charged. Try again.",
        headers={"Retry-After": "5"},
    )


def limit_reached(usage: Usage) -> Problem:
    """The plan allows no more of it. Nothing is deleted by us: the count must come down, or the plan go up."""
    return Problem(
        403,
        "LIMIT_REACHED",
        "The plan's limit is reached",
        f"The plan allows {usage.limit} of {usage.resource}, and {usage.used} are in use.",
        resource=usage.resource,
        limit=usage.limit,
        used=usage.used,
    )


def resource_not_found(resource: str) -> Problem:
    """No plan names it."""
    return Problem(404, "resource-not-found", "No plan has such a resource", resource=resource)


def plan_not_known() -> Problem:
    """The catalog has not told of the workspace's plan yet: just after the first start."""
    return Problem(503, "plan-not-known", "The plans are not known yet", headers={"Retry-After": "5"})


def return_url_not_allowed() -> Problem:
    """A foreign origin would make us a redirector for somebody else."""
    return Problem(422, "return-url-not-allowed", "This return URL is not on an allowed origin")


def period_empty() -> Problem:
    return Problem(422, "period-empty", "This period ends before it begins", field="to")


def parked_not_found() -> Problem:
    return Problem(404, "parked-not-found", "There is no such parked item")


def not_allocatable() -> Problem:
    return Problem(
        409,
        "not-allocatable",
        "This waits for nobody's word on whose it is",
        "Only a refund or a lost dispute, in part of a charge that paid several things, is allocated.",
    )


def paid_otherwise() -> Problem:
    return Problem(409, "paid-otherwise", "Another charge paid for this purchase", "The refund is not of its money.")


def not_parked_any_more() -> Problem:
    """It was applied or discarded meanwhile."""
    return Problem(409, "not-parked", "This is not parked any more", "Look at what became of it.")


def decided_meanwhile() -> Problem:
    """It is parked still, or again; something was decided about it that was not seen."""
    return Problem(409, "decided-meanwhile", "Something was decided about this meanwhile", "Look at what became of it.")


def owner_fixed() -> Problem:
    return Problem(
        409, "owner-fixed", "The owner of a workspace never changes", "Only the owner's e-mail may be updated."
    )


def customer_taken() -> Problem:
    return Problem(409, "customer-taken", "This Stripe customer belongs to another workspace")


def customer_fixed() -> Problem:
    return Problem(409, "customer-fixed", "This workspace has another Stripe customer already")


def payment_in_progress() -> Problem:
    """A buying request is at work on the row; it ends in seconds, or its lease does."""
    return Problem(
        409,
        "payment-in-progress",
        "The payment is being made just now",
        "Nothing was changed. Try again in a moment.",
        headers={"Retry-After": "2"},
    )


def bank_at_work() -> Problem:
    """A debit that the bank has can neither be cancelled nor hurried; nothing else is done about it meanwhile."""
    return Problem(
        409,
        "payment-in-progress",
        "The bank is at work on the payment",
        "Nothing was changed. A debit takes some days; what comes of it is shown as soon as the bank has said so.",
        headers={"Retry-After": "3600"},
        waiting_for="bank",
    )


def paid_in_part() -> Problem:
    """Stripe voids no invoice that is paid in part: the rest comes, or staff send the parts back first."""
    return Problem(
        409,
        "payment-in-progress",
        "A part of it is paid already",
        "Nothing was changed. The rest can still be paid; what was paid goes back only by staff's hand.",
        headers={"Retry-After": "3600"},
    )


def nothing_paid() -> Problem:
    return Problem(409, "nothing-paid", "Nothing was paid for this purchase", "There is nothing to refund.")


def already_refunded() -> Problem:
    return Problem(
        409,
        "already-refunded",
        "Everything was refunded already",
        "What is asked for counts, also while the bank has not answered.",
    )


def refund_too_large(*, left: int, currency: str) -> Problem:
    """`left` in minor units."""
    return Problem(
        409,
        "refund-too-large",
        "That is more than remains of the payment",
        "Nothing was refunded.",
        refundable_cents=left,
        currency=currency,
    )


def illegal_move(refused: Refused) -> Problem:
    """409 with the reason."""
    return Problem(
        409,
        "illegal-transition",
        "This cannot be done to the purchase now",
        refused.reason,
        purchase_status=refused.status.value,
    )


def status_changed(status: Status) -> Problem:
    """It is not what somebody saw who decided about it."""
    return Problem(
        409,
        "status-changed",
        "The purchase is in another status than expected",
        "Nothing was changed.",
        purchase_status=status.value,
    )


def payment_declined(*, purchase: Mapping[str, Any], decline_code: str | None) -> Problem:
    """The card's bank said no; `purchase` as it is answered, failed."""
    return Problem(
        402,
        "payment-declined",
        "The card was declined",
        "Nothing was charged.",
        purchase=purchase,
        decline_code=decline_code,
    )


def stripe_refused(code: str | None, *, purchase: Mapping[str, Any] | None = None) -> Problem:
    """A permanent 4xx that is not about the card; with the failed purchase when there already is one."""
    return Problem(
        502,
        "stripe-refused",
        "The payment provider refused the request",
        "Nothing was charged. Our team can see the reason.",
        stripe_code=code,
        **({"purchase": purchase} if purchase else {}),
    )
