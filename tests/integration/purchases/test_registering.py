"""Registering a workspace makes its customer, whatever Stripe thinks of what it is sent."""

from purchases.buying.buy import Outcome
from tests.integration.purchases.harness import Harness


async def test_an_address_that_stripe_does_not_take_keeps_nobody_from_buying(harness: Harness) -> None:
    await harness.given_an_addon()
    await harness.control.fault("error_before", operation="customers.update", status=400)

    workspace = await harness.given_a_workspace()

    (customer,) = (await harness.control.objects(kind="customer"))["customer"]
    assert (customer["name"], customer["email"]) == ("Acme", None)
    assert (await harness.buy(harness.order(workspace))).outcome is Outcome.PAID
