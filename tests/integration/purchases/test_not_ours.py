"""Our customer is not our invoice: other software may bill a customer that we share, and nothing of that is kept."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.stripe_facts import CheckoutSessionCompleted, InvoicePaid, UnrecognisedEvent
from purchases.ledger.rows import Purchase
from tests.integration.purchases.bundles import given_a_bundle
from tests.integration.purchases.harness import Harness

OURS = {"quittance_instance": "another"}


async def test_an_invoice_of_other_software_for_a_customer_that_we_share_is_left_alone(harness: Harness) -> None:
    purchase = await harness.given_a_purchase()
    harness.since = len(await harness.control.events())
    api, customer = harness.client.v1, str(purchase.stripe_customer_id)
    invoice = await api.invoices.create_async({"customer": customer, "currency": "eur"})
    item: Any = {"customer": customer, "invoice": invoice.id, "amount": 700, "currency": "eur"}
    await api.invoice_items.create_async(item)
    await api.invoices.pay_async(str(invoice.id))
    facts = await harness.facts()
    assert [fact for fact in facts if isinstance(fact, InvoicePaid)]

    await harness.deliver(*facts)
    await harness.settle_everything()

    assert await harness.rows("select reason from parked") == []


def unknown(thing: dict[str, Any], *, customer_id: str | None) -> UnrecognisedEvent:
    return UnrecognisedEvent(
        stripe_event_id="evt_unknown",
        stripe_event_type="invoice.paid",
        api_version=None,
        livemode=False,
        occurred_at=datetime.now(UTC),
        object_id=str(thing.get("id")),
        customer_id=customer_id,
        reason="lines is no list of objects",
        body=json.dumps({"object": "event", "data": {"object": thing}}),
    )


async def test_an_unknown_shape_of_a_stranger_is_not_kept(harness: Harness) -> None:
    await harness.given_a_purchase()
    thing = {"id": "in_theirs", "customer": "cus_theirs", "metadata": {"order": "7"}, "lines": "soon"}

    await harness.deliver(unknown(thing, customer_id="cus_theirs"))

    assert await harness.rows("select reason from parked") == []


def _of_our_customer(purchase: Purchase) -> dict[str, Any]:
    return {"id": "in_x", "customer": purchase.stripe_customer_id, "metadata": {}}


MAY_BE_OURS: dict[str, Callable[[Purchase], dict[str, Any]]] = {
    "our customer": _of_our_customer,
    "our invoice": lambda one: {"id": one.stripe_invoice_id, "customer": "cus_theirs", "metadata": {}},
    "our charge": lambda one: {"id": "re_x", "customer": "cus_x", "payment_intent": one.stripe_payment_intent_id},
    "our metadata": lambda _: {"id": "in_x", "customer": "cus_theirs", "metadata": OURS},
    "no customer": lambda _: {"id": "in_x", "metadata": {}},
    "a customer that cannot be read": lambda _: {"id": "in_x", "customer": 7, "metadata": {}},
    "metadata that cannot be read": lambda _: {"id": "in_x", "customer": "cus_theirs", "metadata": "none"},
    "an id that cannot be read": lambda _: {"id": "in_x", "customer": "cus_theirs", "charge": 7, "metadata": {}},
}


@pytest.mark.parametrize("what", MAY_BE_OURS)
async def test_an_unknown_shape_that_may_be_ours_is_kept(harness: Harness, what: str) -> None:
    thing = MAY_BE_OURS[what](await harness.given_a_purchase())
    customer = thing.get("customer")

    await harness.deliver(unknown(thing, customer_id=customer if isinstance(customer, str) else None))

    assert len(await harness.parked()) == 1


async def test_a_card_that_other_software_saved_is_not_made_the_default(harness: Harness) -> None:
    bundle = await given_a_bundle(harness)
    completed = next(fact for fact in await harness.facts() if isinstance(fact, CheckoutSessionCompleted))
    theirs = {"mode": "setup", "setup_intent_id": "seti_theirs", "quittance_instance": None}

    await harness.deliver(completed.model_copy(update=theirs | {"customer_id": bundle[0].stripe_customer_id}))

    assert await harness.jobs("adopt_card") == []
