"""Whatever the sandbox tells of a workspace's life, in either era, the gateway reads, and as the same facts."""

import json
from typing import Any

import stripe

from contracts.stripe_facts import InvoicePaid, InvoicePaymentFailed, StripeFact, UnrecognisedEvent
from sandbox.stripe.control import Json, StripeControl
from tests.fixtures.expected_facts import model_of
from tests.integration.stripe_sandbox.conftest import DAY, Buyer
from tests.integration.stripe_sandbox.offers import given_a_session
from tests.integration.stripe_sandbox.plans import given_a_subscriber
from webhook_gateway.stripe_events.normalisers import NORMALISERS, normalise

LEGACY, TODAY = "2024-06-20", "2026-06-24.dahlia"
ONE_ERA_ONLY = {
    "api_version",
    "payment_intent_id",
    "charge_id",
    "invoice_id",
    "refunds",
    "customer_id",
    "paid_off_stripe",
}
"""What the payloads of only one era can tell; tests/unit/webhook_gateway says of each where it stands."""


def fact_of(event: Json) -> StripeFact:
    return model_of(normalise(event=event, body=json.dumps(event).encode(), received_at=0.0))


def common(fact: StripeFact) -> dict[str, Any]:
    return fact.model_dump(exclude=ONE_ERA_ONLY)


async def given_a_bundle(client: stripe.StripeClient, control: StripeControl) -> None:
    """One that is bought, one whose buyer goes away, and two that a bank takes days over."""
    await control.complete_session((await given_a_session(client)).id)
    await control.expire_session((await given_a_session(client)).id)
    for succeeded in (True, False):
        await control.complete_session((await given_a_session(client)).id, card="sepaDebit")
        intents = (await control.objects(kind="payment_intent"))["payment_intent"]
        await control.settle_debit(intents[-1]["id"], succeeded=succeeded)


async def given_a_renewal_that_fails_for_good(client: stripe.StripeClient, control: StripeControl) -> str:
    """Its invoice's id."""
    subscriber = await given_a_subscriber(client, control)
    await control.change_card(subscriber.buyer.card, "chargeCustomerFail")
    await control.renew(subscriber.id)
    invoice = await subscriber.latest_invoice()
    await control.exhaust_retries(subscriber.id)
    return str(invoice["id"])


async def given_a_pause_and_a_trial(client: stripe.StripeClient, control: StripeControl) -> None:
    subscriber = await given_a_subscriber(client, control, trial_period_days=14)
    await control.advance(customer=subscriber.buyer.customer, seconds=15 * DAY)
    await control.pause(subscriber.id)
    await client.v1.subscriptions.resume_async(subscriber.id)
    await subscriber.update({"cancel_at_period_end": True})


async def given_refunds_and_a_dispute(buyer: Buyer, control: StripeControl) -> None:
    refunded, disputed = await buyer.paid_invoice(), await buyer.paid_invoice()
    await control.refund_as_dashboard(invoice=refunded.id, amount=100)
    dispute = await control.open_dispute(invoice=disputed.id)
    await control.close_dispute(dispute["id"], status="lost")
    await buyer.api.invoices.void_invoice_async((await buyer.open_invoice()).id)
    await buyer.api.invoices.delete_async((await buyer.draft()).id)
    await buyer.api.customers.delete_async(buyer.customer)


async def test_every_event_is_recognised_and_is_the_same_fact_in_both_eras(
    client: stripe.StripeClient, control: StripeControl, buyer: Buyer
) -> None:
    await given_a_bundle(client, control)
    failed_invoice = await given_a_renewal_that_fails_for_good(client, control)
    await given_a_pause_and_a_trial(client, control)
    await given_refunds_and_a_dispute(buyer, control)

    old, new = [
        [fact_of(event) for event in await control.events(version=version) if event["type"] in NORMALISERS]
        for version in (LEGACY, TODAY)
    ]

    assert [fact for fact in (*old, *new) if isinstance(fact, UnrecognisedEvent)] == []
    assert [common(fact) for fact in old] == [common(fact) for fact in new]
    assert {kind for kind in NORMALISERS if kind.startswith(("customer.", "checkout.", "charge.dispute"))} <= {
        fact.stripe_event_type for fact in new
    }
    attempts = [fact for fact in new if isinstance(fact, InvoicePaymentFailed) and fact.invoice_id == failed_invoice]
    assert [attempt.attempt_count for attempt in attempts] == [1, 2, 3, 4]
    assert [attempt.next_payment_attempt_at is None for attempt in attempts] == [False, False, False, True]
    renewals = [fact for fact in new if isinstance(fact, InvoicePaid) and fact.subscription_id]
    assert all(fact.subscription_period_end for fact in renewals)
