"""The Customer Portal: in the configuration that was asked for, for the workspace's customer, and back to us."""

import pytest

from catalog.stripe_setup.portal import CANCELLING, provision_portal
from chassis.problems import Problem
from purchases.subscriptions.manage_subscription import manage_subscription
from tests.integration.purchases.harness import INSTANCE, RETURN_URL, Harness, Json


async def given_a_portal(harness: Harness, instance: str = INSTANCE) -> list[str]:
    said: list[str] = []
    product = await harness.client.v1.products.create_async({"name": f"Builder of {instance}"})
    price = await harness.client.v1.prices.create_async(
        {"product": product.id, "currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}}
    )
    await provision_portal(client=harness.client, instance=instance, products={product.id: [price.id]}, say=said.append)
    return said


async def _portal(harness: Harness, workspace: str, cancel: str = "at_period_end") -> str:
    return await manage_subscription(
        harness.context,
        workspace_id=workspace,
        return_url=RETURN_URL,
        cancel=cancel,
    )


async def _objects(harness: Harness, kind: str) -> list[Json]:
    return (await harness.control.objects(kind=kind)).get(kind, [])


@pytest.mark.parametrize("cancel", CANCELLING)
async def test_it_opens_in_the_configuration_that_was_asked_for(harness: Harness, cancel: str) -> None:
    await given_a_portal(harness, "another")
    await given_a_portal(harness)
    workspace = await harness.given_a_workspace()

    url = await _portal(harness, workspace, cancel)

    (session,) = await _objects(harness, "billing_portal.session")
    (customer,) = await harness.rows("select stripe_customer_id from workspaces")
    assert (session["url"], session["return_url"], session["customer"]) == (
        url,
        RETURN_URL,
        customer["stripe_customer_id"],
    )
    configurations = {one["id"]: one for one in await _objects(harness, "billing_portal.configuration")}
    configuration = configurations[session["configuration"]]
    assert configuration["metadata"]["quittance_instance"] == INSTANCE
    assert configuration["features"]["subscription_cancel"]["mode"] == cancel


async def test_bootstrapping_again_makes_nothing_twice(harness: Harness) -> None:
    first = await given_a_portal(harness)

    second = await given_a_portal(harness)

    assert [": made " in one for one in first + second] == [True, True, False, False]
    assert len(await _objects(harness, "billing_portal.configuration")) == 2


async def test_before_bootstrapping_the_answer_says_so(harness: Harness) -> None:
    with pytest.raises(Problem) as refused:
        await _portal(harness, await harness.given_a_workspace())

    assert (refused.value.status, refused.value.slug) == (503, "portal-not-set-up")


async def test_while_stripe_is_away_the_answer_says_when_to_ask_again(harness: Harness) -> None:
    await given_a_portal(harness)
    workspace = await harness.given_a_workspace()
    await harness.control.fault("close_before", operation="billing_portal.*")

    with pytest.raises(Problem) as refused:
        await _portal(harness, workspace)

    assert (refused.value.status, refused.value.slug) == (503, "stripe-unavailable")
