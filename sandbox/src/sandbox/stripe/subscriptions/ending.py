"""How a subscription ends: at once, at a time that was set, or because nobody paid."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.subscriptions.model import Subscription


def cancel(
    *, call: Call, subscription: Subscription, reason: str, comment: str | None = None, feedback: str | None = None
) -> Subscription:
    """Cancel for good: `customer.subscription.deleted`. What is open is no longer collected by itself."""
    said = {"comment": comment, "feedback": feedback}
    details = {**subscription.cancellation, **{name: text for name, text in said.items() if text}, "reason": reason}
    ended = call.save(
        replace(
            subscription,
            status="canceled",
            cancellation=details,
            canceled_at=subscription.canceled_at or call.now,
            ended_at=call.now,
        )
    )
    _stop_collecting(call=call, subscription=ended)
    call.emit("customer.subscription.deleted", ended)
    return ended


def _stop_collecting(*, call: Call, subscription: Subscription) -> None:
    for invoice in call.account.invoices.where("customer", subscription.customer):
        if invoice.subscription == subscription.id and invoice.status in ("draft", "open"):
            call.save(replace(invoice, auto_advance=False, finalizes_at=None, next_payment_attempt=None))


def at_period_end(*, call: Call, subscription: Subscription, wanted: bool) -> Subscription:
    """Let it end with the period, or take that back. Not stored yet."""
    if wanted == subscription.cancel_at_period_end:
        return subscription
    return replace(
        _planned(call=call, subscription=subscription, at=subscription.period_end if wanted else None),
        cancel_at_period_end=wanted,
    )


def at_time(*, call: Call, subscription: Subscription, at: int | None) -> Subscription:
    """Let it end at a time, or take that back. Not stored yet."""
    return replace(_planned(call=call, subscription=subscription, at=at), cancel_at_period_end=False)


def _planned(*, call: Call, subscription: Subscription, at: int | None) -> Subscription:
    reason = "cancellation_requested" if at else None
    return replace(
        subscription,
        cancel_at=at,
        canceled_at=call.now if at else None,
        cancellation={**subscription.cancellation, "reason": reason},
    )
