"""The plan on an invoice with much else: what an extra subscription took goes back, exactly that and once."""

from typing import Any, Final

import pytest

from contracts.stripe_facts import InvoicePaid
from purchases.jobs.kinds import EndSubscription
from purchases.jobs.store import enqueue
from tests.integration.purchases.harness import INSTANCE, Harness, Json
from tests.integration.purchases.subscribers import MONTHLY, Subscriber, given_a_subscriber

EMBEDDED: Final = 10
"""So many of its lines an invoice shows; the others are on further pages (https://docs.stripe.com/expand)."""
OWED: Final = 100


async def given_owed(subscriber: Subscriber, number: int) -> None:
    """What the customer owed before, Stripe puts in front of the plan."""
    for _ in range(number):
        item: Any = {"customer": subscriber.customer_id, "amount": OWED, "currency": "eur"}
        await subscriber.harness.client.v1.invoice_items.create_async(item)


async def given_two_subscriptions(subscriber: Subscriber, *, owed: int = 0) -> Json:
    """Return the one to end, the younger: nothing is known of either yet. Its invoice holds so many other lines."""
    made = []
    for _ in range(2):
        await given_owed(subscriber, owed)
        made.append(await subscriber.subscribe())
    known = (await subscriber.harness.control.objects(kind="subscription"))["subscription"]
    return max((one for one in known if one["id"] in made), key=lambda one: (one["start_date"], one["id"]))


async def refunds_of(harness: Harness, invoice: str) -> list[int]:
    """What of the invoice's payment went back, in cents, the smallest first."""
    (found,) = [one for one in (await harness.control.objects(kind="invoice"))["invoice"] if one["id"] == invoice]
    payments = (await harness.control.objects(kind="invoice_payment"))["invoice_payment"]
    intents = {one["payment"]["payment_intent"] for one in payments if one["invoice"] == found["id"]}
    return sorted(one["amount"] for one in await harness.refunds_at_stripe() if one["payment_intent"] in intents)


async def test_the_plans_price_may_be_on_a_later_page_of_the_invoices_lines(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    extra = await given_two_subscriptions(subscriber, owed=EMBEDDED)
    invoices = {one["id"]: one for one in (await harness.control.objects(kind="invoice"))["invoice"]}
    assert MONTHLY not in [line["amount"] for line in invoices[extra["latest_invoice"]]["lines"]["data"]]

    for _ in range(2):
        await subscriber.hear()

    assert await refunds_of(harness, extra["latest_invoice"]) == [MONTHLY]
    (fact,) = [body for kind, body in await subscriber.published() if kind == "extra_subscription_ended"]
    assert (fact["stripe_subscription_id"], fact["returned_cents"]) == (extra["id"], MONTHLY)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"subscription_id": "sub_another"},
        {"purchase_id": "e5a0c4a6-6b7c-4a50-8f0b-0d1f5a3f5a11"},
    ],
    ids=["by hand", "of another subscription", "of an add-on that was paid with it"],
)
async def test_another_refund_of_the_same_invoice_is_not_the_plans(harness: Harness, metadata: Json) -> None:
    """Staff copy metadata, and what was paid late for an add-on goes back with the same marks."""
    subscriber = await given_a_subscriber(harness)
    extra = await given_two_subscriptions(subscriber, owed=1)
    ours = {"quittance_instance": INSTANCE, "returned_invoice": extra["latest_invoice"]}
    await harness.control.refund_as_dashboard(
        invoice=extra["latest_invoice"], amount=OWED, metadata=(ours | metadata) if metadata else {}
    )

    for _ in range(2):
        await subscriber.hear()

    assert await refunds_of(harness, extra["latest_invoice"]) == [OWED, MONTHLY]


async def test_what_the_dashboard_has_sent_back_already_is_not_refused_for_ever(harness: Harness) -> None:
    """The subscription ends all the same, the owner is mailed, and nothing waits for staff."""
    subscriber = await given_a_subscriber(harness)
    extra = await given_two_subscriptions(subscriber)
    await harness.control.refund_as_dashboard(invoice=extra["latest_invoice"], amount=MONTHLY)

    for _ in range(2):
        await subscriber.hear()

    assert await refunds_of(harness, extra["latest_invoice"]) == [MONTHLY]
    assert [one["state"] for one in await harness.jobs("end_subscription")] == ["done"]
    (fact,) = [body for kind, body in await subscriber.published() if kind == "extra_subscription_ended"]
    assert (fact["stripe_subscription_id"], fact["returned_cents"]) == (extra["id"], MONTHLY)


async def test_the_plans_own_refund_is_found_and_not_made_again(harness: Harness) -> None:
    """Also under the next attempt's key, after an answer that nobody understood, and with money left to refund."""
    subscriber = await given_a_subscriber(harness)
    extra = await given_two_subscriptions(subscriber, owed=EMBEDDED)
    await subscriber.hear()

    async with harness.database.transaction() as session:
        await enqueue(
            session, EndSubscription(subscription_id=extra["id"], workspace_id=subscriber.workspace_id, attempt=2)
        )
    await harness.settle_everything()

    assert await refunds_of(harness, extra["latest_invoice"]) == [MONTHLY]


@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "of other software"])
async def test_whose_a_long_invoice_is_stripe_says(harness: Harness, is_ours: bool) -> None:
    """It carries none of our metadata, and its event shows the first ten lines, none of them the plan's."""
    subscriber = await given_a_subscriber(harness)
    product = await harness.client.v1.products.create_async({"name": "Something else"})
    other = await harness.client.v1.prices.create_async(
        {"product": product.id, "currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}}
    )
    await given_owed(subscriber, EMBEDDED)
    made = await subscriber.subscribe(price=None if is_ours else other.id, ours=False)

    await harness.deliver(*[fact for fact in await harness.facts() if isinstance(fact, InvoicePaid)])
    await harness.settle_everything()

    assert [row["stripe_subscription_id"] for row in await subscriber.rows()] == ([made] if is_ours else [])
    assert await subscriber.plan() == ("builder" if is_ours else "free")
    assert await harness.parked() == []
