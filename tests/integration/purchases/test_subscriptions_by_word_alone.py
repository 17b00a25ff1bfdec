"""A subscription gives what Stripe says that it is: one that only its events tell of is looked up first."""

import uuid
from typing import Any

import pytest

from contracts.stripe_facts import InvoicePaid, InvoicePaymentFailed, StripeFact, SubscriptionChanged
from tests.integration.purchases.bundles import given_a_bundle
from tests.integration.purchases.harness import INSTANCE, Harness
from tests.integration.purchases.subscribers import Subscriber, given_a_subscriber

FORGED = "sub_forged"


async def what_stripe_reported(subscriber: Subscriber) -> StripeFact:
    """The last event of a subscription that runs, as the gateway publishes it."""
    await subscriber.subscribe()
    changed = [fact for fact in await subscriber.harness.facts() if isinstance(fact, SubscriptionChanged)]
    assert changed[-1].status == "active"
    return changed[-1]


def forged(fact: StripeFact, **changes: Any) -> StripeFact:
    names = {"subscription_id": FORGED, "object_id": FORGED, "stripe_event_id": f"evt_{uuid.uuid4().hex}"}
    return type(fact).model_validate(fact.model_dump() | names | changes)


async def gave_nothing(subscriber: Subscriber) -> bool:
    return (await subscriber.plan(), await subscriber.rows()) == ("free", [])


async def parked_for_staff(harness: Harness) -> list[tuple[str, Any]]:
    return [(row["reason"], row["waits_for"]) for row in await harness.parked()]


UNKNOWN = ("Stripe does not know the subscription that an event names", None)
NOT_ITS = ("at Stripe the subscription that an event names is not this workspace's", None)


@pytest.mark.parametrize(
    "has_our_metadata", [True, False], ids=["by our metadata", "by our price on an invoice of our customer"]
)
async def test_one_that_stripe_does_not_know_gives_nothing_and_the_team_is_mailed(
    harness: Harness, has_our_metadata: bool
) -> None:
    subscriber = await given_a_subscriber(harness)
    event = await what_stripe_reported(subscriber)
    anonymous: Any = {} if has_our_metadata else {"quittance_instance": None, "workspace_id": None}

    await harness.deliver(forged(event, **anonymous), forged(event, **anonymous))
    assert await gave_nothing(subscriber)
    await harness.settle_everything()

    assert await gave_nothing(subscriber)
    assert await parked_for_staff(harness) == [UNKNOWN, UNKNOWN]
    (published,) = [body for kind, body in await subscriber.published() if kind == "subscription_parked"]
    assert (published["stripe_subscription_id"], published["plan"], published["reason"]) == (FORGED, "free", UNKNOWN[0])


@pytest.mark.parametrize("fault", ["close_before", "error_before", "rate_limit"])
async def test_while_stripe_does_not_answer_nothing_moves_and_the_look_is_repeated(
    harness: Harness, fault: str
) -> None:
    subscriber = await given_a_subscriber(harness)
    event = await what_stripe_reported(subscriber)
    await harness.control.fault(fault, operation="subscriptions.retrieve", times=8)

    await harness.deliver(event)
    await harness.execute("update stripe_commands set due_at = now() where state = 'open'")
    await harness.loop.do_one()

    assert await gave_nothing(subscriber)
    assert [one["state"] for one in await harness.jobs("look_at_subscription")] == ["open"]
    await harness.control.reset_faults()
    await harness.settle_everything()
    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "active")
    assert await harness.parked() == []
    assert "subscription_parked" not in [kind for kind, _ in await subscriber.published()]


async def foreign(harness: Harness, metadata: dict[str, str]) -> str:
    """What other software sells to a customer of its own, and is paid for."""
    customer = (await harness.client.v1.customers.create_async({"name": "Somebody"})).id
    await harness.give_card(customer, "pm_card_visa")
    product = (await harness.client.v1.products.create_async({"name": "Something else"})).id
    price = await harness.client.v1.prices.create_async(
        {"product": product, "currency": "eur", "unit_amount": 100, "recurring": {"interval": "month"}}
    )
    made: Any = {"customer": customer, "items": [{"price": price.id}], "metadata": metadata}
    return (await harness.client.v1.subscriptions.create_async(made)).id


@pytest.mark.parametrize(
    "metadata",
    [{}, {"quittance_instance": INSTANCE, "workspace_id": "ws-other"}, {"quittance_instance": "staging"}],
    ids=["of nobody", "of another workspace", "of another instance"],
)
async def test_one_that_is_somebody_elses_at_stripe_gives_nothing(harness: Harness, metadata: dict[str, str]) -> None:
    subscriber = await given_a_subscriber(harness)
    event = await what_stripe_reported(subscriber)
    name = await foreign(harness, metadata)

    await harness.deliver(forged(event, subscription_id=name, object_id=name))
    await harness.settle_everything()

    assert await gave_nothing(subscriber)
    assert await parked_for_staff(harness) == [NOT_ITS]


async def test_a_paid_invoice_that_names_somebody_elses_subscription_gives_nothing(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    paid = next(fact for fact in await harness.facts() if isinstance(fact, InvoicePaid))
    name = await foreign(harness, {})

    await harness.deliver(forged(paid, subscription_id=name, invoice_id="in_forged", object_id="in_forged"))
    await harness.settle_everything()

    assert await gave_nothing(subscriber)
    assert await parked_for_staff(harness) == [NOT_ITS]


async def test_a_failed_renewal_of_what_stripe_does_not_know_is_not_the_owners_to_read(harness: Harness) -> None:
    subscriber = await given_a_subscriber(harness, card="pm_card_chargeCustomerFail")
    await subscriber.subscribe()
    failed = next(fact for fact in await harness.facts() if isinstance(fact, InvoicePaymentFailed))
    names = {"invoice_id": "in_forged", "object_id": "in_forged", "billing_reason": "subscription_cycle"}

    await harness.deliver(forged(failed, **names))
    await harness.settle_everything()

    assert [kind for kind, _ in await subscriber.published()] == ["subscription_parked"]
    assert await gave_nothing(subscriber)


async def test_one_that_stripe_does_not_know_stamps_no_purchase(harness: Harness) -> None:
    bundle = await given_a_bundle(harness)
    changed = [fact for fact in await harness.facts() if isinstance(fact, SubscriptionChanged)]

    await harness.deliver(forged(changed[-1]))
    await harness.settle_everything()

    assert {(await harness.purchase(one.id)).stripe_subscription_id for one in bundle} == {None}


async def test_what_staff_try_again_is_looked_up_again_and_taken_once_stripe_knows_it(harness: Harness) -> None:
    """Stripe knew nothing of it for a moment, as it may of what was made just now."""
    subscriber = await given_a_subscriber(harness)
    event = await what_stripe_reported(subscriber)
    await harness.control.fault("refused", operation="subscriptions.retrieve", code="resource_missing")
    await harness.deliver(event)
    await harness.settle_everything()
    assert await parked_for_staff(harness) == [UNKNOWN]

    await harness.execute("update parked set retry_at = now()")
    await harness.consumer._retry_one()
    await harness.settle_everything()

    assert (await subscriber.plan(), await harness.parked()) == ("builder", [])
