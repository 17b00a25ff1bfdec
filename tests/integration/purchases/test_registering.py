"""Registering a workspace makes its customer, whatever Stripe thinks of what it is told."""

from purchases.buying.buy import Outcome
from tests.integration.purchases.harness import World


async def test_an_address_that_stripe_does_not_take_keeps_nobody_from_buying(world: World) -> None:
    await world.given_an_addon()
    await world.control.fault("error_before", operation="customers.update", status=400)

    workspace = await world.given_a_workspace()

    (customer,) = (await world.control.objects(kind="customer"))["customer"]
    assert (customer["name"], customer["email"]) == ("Acme", None)
    assert (await world.buy(world.order(workspace))).outcome is Outcome.PAID
