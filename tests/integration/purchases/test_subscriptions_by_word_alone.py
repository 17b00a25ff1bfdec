"""A subscription gives what Stripe says that it is: one that only its events tell of is looked up first."""

import uuid
from typing import Any

import pytest

from contracts.stripe_facts import InvoicePaid, InvoicePaymentFailed, StripeFact, SubscriptionChanged
from tests.integration.purchases.bundles import given_a_bundle
from tests.integration.purchases.harness import INSTANCE, World
from tests.integration.purchases.subscribers import Subscriber, given_a_subscriber

FORGED = "sub_forged"


async def what_stripe_told(subscriber: Subscriber) -> StripeFact:
    """The last event of a subscription that runs, as the gateway publishes it."""
    await subscriber.subscribe()
    changed = [fact for fact in await subscriber.world.facts() if isinstance(fact, SubscriptionChanged)]
    assert changed[-1].status == "active"
    return changed[-1]


def forged(fact: StripeFact, **changes: Any) -> StripeFact:
    names = {"subscription_id": FORGED, "object_id": FORGED, "stripe_event_id": f"evt_{uuid.uuid4().hex}"}
    return type(fact).model_validate(fact.model_dump() | names | changes)


async def gave_nothing(subscriber: Subscriber) -> bool:
    return (await subscriber.plan(), await subscriber.rows()) == ("free", [])


async def parked_for_staff(world: World) -> list[tuple[str, Any]]:
    return [(row["reason"], row["waits_for"]) for row in await world.parked()]


UNKNOWN = ("Stripe does not know the subscription that an event told of", None)
NOT_ITS = ("at Stripe the subscription that an event told of is not this workspace's", None)


@pytest.mark.parametrize(
    "names_us", [True, False], ids=["by our metadata", "by our price on an invoice of our customer"]
)
async def test_one_that_stripe_does_not_know_gives_nothing_and_the_team_is_told(world: World, names_us: bool) -> None:
    subscriber = await given_a_subscriber(world)
    event = await what_stripe_told(subscriber)
    anonymous: Any = {} if names_us else {"quittance_instance": None, "workspace_id": None}

    await world.tell(forged(event, **anonymous), forged(event, **anonymous))
    assert await gave_nothing(subscriber)
    await world.settle_everything()

    assert await gave_nothing(subscriber)
    assert await parked_for_staff(world) == [UNKNOWN, UNKNOWN]
    (told,) = [body for kind, body in await subscriber.told() if kind == "subscription_parked"]
    assert (told["stripe_subscription_id"], told["plan"], told["reason"]) == (FORGED, "free", UNKNOWN[0])


@pytest.mark.parametrize("fault", ["close_before", "error_before", "rate_limit"])
async def test_while_stripe_does_not_answer_nothing_moves_and_the_look_is_repeated(world: World, fault: str) -> None:
    subscriber = await given_a_subscriber(world)
    event = await what_stripe_told(subscriber)
    await world.control.fault(fault, operation="subscriptions.retrieve", times=8)

    await world.tell(event)
    await world.execute("update stripe_commands set due_at = now() where state = 'open'")
    await world.loop._carry_one()

    assert await gave_nothing(subscriber)
    assert [one["state"] for one in await world.commands("look_at_subscription")] == ["open"]
    await world.control.reset_faults()
    await world.settle_everything()
    assert (await subscriber.plan(), await subscriber.status()) == ("builder", "active")
    assert await world.parked() == []
    assert "subscription_parked" not in [kind for kind, _ in await subscriber.told()]


async def foreign(world: World, metadata: dict[str, str]) -> str:
    """What other software sells to a customer of its own, and is paid for."""
    customer = (await world.client.v1.customers.create_async({"name": "Somebody"})).id
    await world.give_card(customer, "pm_card_visa")
    product = (await world.client.v1.products.create_async({"name": "Something else"})).id
    price = await world.client.v1.prices.create_async(
        {"product": product, "currency": "eur", "unit_amount": 100, "recurring": {"interval": "month"}}
    )
    made: Any = {"customer": customer, "items": [{"price": price.id}], "metadata": metadata}
    return (await world.client.v1.subscriptions.create_async(made)).id


@pytest.mark.parametrize(
    "metadata",
    [{}, {"quittance_instance": INSTANCE, "workspace_id": "ws-other"}, {"quittance_instance": "staging"}],
    ids=["of nobody", "of another workspace", "of another instance"],
)
async def test_one_that_is_somebody_elses_at_stripe_gives_nothing(world: World, metadata: dict[str, str]) -> None:
    subscriber = await given_a_subscriber(world)
    event = await what_stripe_told(subscriber)
    name = await foreign(world, metadata)

    await world.tell(forged(event, subscription_id=name, object_id=name))
    await world.settle_everything()

    assert await gave_nothing(subscriber)
    assert await parked_for_staff(world) == [NOT_ITS]


async def test_a_paid_invoice_that_names_somebody_elses_subscription_gives_nothing(world: World) -> None:
    subscriber = await given_a_subscriber(world)
    await subscriber.subscribe()
    paid = next(fact for fact in await world.facts() if isinstance(fact, InvoicePaid))
    name = await foreign(world, {})

    await world.tell(forged(paid, subscription_id=name, invoice_id="in_forged", object_id="in_forged"))
    await world.settle_everything()

    assert await gave_nothing(subscriber)
    assert await parked_for_staff(world) == [NOT_ITS]


async def test_a_failed_renewal_of_what_stripe_does_not_know_is_not_the_owners_to_read(world: World) -> None:
    subscriber = await given_a_subscriber(world, card="pm_card_chargeCustomerFail")
    await subscriber.subscribe()
    failed = next(fact for fact in await world.facts() if isinstance(fact, InvoicePaymentFailed))
    names = {"invoice_id": "in_forged", "object_id": "in_forged", "billing_reason": "subscription_cycle"}

    await world.tell(forged(failed, **names))
    await world.settle_everything()

    assert [kind for kind, _ in await subscriber.told()] == ["subscription_parked"]
    assert await gave_nothing(subscriber)


async def test_one_that_stripe_does_not_know_stamps_no_purchase(world: World) -> None:
    bundle = await given_a_bundle(world)
    changed = [fact for fact in await world.facts() if isinstance(fact, SubscriptionChanged)]

    await world.tell(forged(changed[-1]))
    await world.settle_everything()

    assert {(await world.purchase(one.id)).stripe_subscription_id for one in bundle} == {None}


async def test_what_staff_try_again_is_looked_up_again_and_taken_once_stripe_knows_it(world: World) -> None:
    """Stripe knew nothing of it for a moment, as it may of what was made just now."""
    subscriber = await given_a_subscriber(world)
    event = await what_stripe_told(subscriber)
    await world.control.fault("refused", operation="subscriptions.retrieve", code="resource_missing")
    await world.tell(event)
    await world.settle_everything()
    assert await parked_for_staff(world) == [UNKNOWN]

    await world.execute("update parked set retry_at = now()")
    await world.consumer._retry_one()
    await world.settle_everything()

    assert (await subscriber.plan(), await world.parked()) == ("builder", [])
