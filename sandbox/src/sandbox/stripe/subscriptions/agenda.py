"""Everything that waits for its time, and the advance of a customer's clock through all of it, in order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, outside
from sandbox.stripe.checkout import sessions
from sandbox.stripe.subscriptions import collecting, ending, renewing
from sandbox.stripe.subscriptions.beginning import EXPIRES_AFTER
from sandbox.stripe.subscriptions.model import Subscription
from sandbox.stripe.thing import Thing

TRIAL_NOTICE: Final = 3 * 24 * 3600
RENEWED: Final = ("active", "past_due", "unpaid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One thing to do, and when; of those at the same time the first one found comes first."""

    at: int
    of: Thing
    act: Callable[..., object]


def advance(*, account: Account, customer: str | None, seconds: int) -> None:
    """Let `seconds` pass for one customer, or for all, and do whatever falls due, each at its own time."""
    for one in [customer] if customer else _everybody(account):
        _advance_one(account=account, customer=one, to=account.clock.now(one) + seconds)
    account.clock.put_forward(customer=customer, to=account.clock.now(customer) + seconds)


def _advance_one(*, account: Account, customer: str | None, to: int) -> None:
    begun = account.clock.now(customer)
    while (due := min(_dues(account, customer), key=lambda one: one.at, default=None)) and due.at <= to:
        with account.clock.held_at(max(due.at, begun)):
            due.act(call=outside(account, due.of))


def _everybody(account: Account) -> list[str | None]:
    return [None, *(one.id for one in account.customers.newest_first())]


def _dues(account: Account, customer: str | None) -> Iterator[Due]:
    for session in account.checkout_sessions.where("customer", customer):
        if session.status == "open":
            yield Due(at=session.expires_at, of=session, act=partial(sessions.expire, session=session))
    if customer is None:
        return
    for subscription in account.subscriptions.where("customer", customer):
        yield from _of_subscription(subscription)
    for invoice in account.invoices.where("customer", customer):
        if not invoice.auto_advance:
            continue
        if invoice.status == "draft" and invoice.finalizes_at:
            yield Due(at=invoice.finalizes_at, of=invoice, act=partial(renewing.collect_draft, invoice=invoice))
        if invoice.status == "open" and invoice.next_payment_attempt:
            yield Due(at=invoice.next_payment_attempt, of=invoice, act=partial(collecting.collect, invoice=invoice))


def _of_subscription(subscription: Subscription) -> Iterator[Due]:
    known = partial(Due, of=subscription)
    if subscription.cancel_at and not subscription.is_over:
        yield known(at=subscription.cancel_at, act=partial(_cancel, subscription=subscription))
    if subscription.status == "trialing" and subscription.trial_end:
        if not subscription.trial_end_announced:
            notice = max(subscription.trial_end - TRIAL_NOTICE, subscription.created)
            yield known(at=notice, act=partial(renewing.tell_of_trial, subscription=subscription))
        yield known(at=subscription.trial_end, act=partial(renewing.end_trial, subscription=subscription))
    if subscription.status in RENEWED:
        yield known(at=subscription.period_end, act=partial(renewing.renew, subscription=subscription))
    if subscription.status == "incomplete":
        expiry = subscription.created + EXPIRES_AFTER
        yield known(at=expiry, act=partial(renewing.expire, subscription=subscription))


def _cancel(*, call: Call, subscription: Subscription) -> None:
    ending.cancel(call=call, subscription=subscription, reason="cancellation_requested")
