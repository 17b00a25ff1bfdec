"""What a plan brought goes back: refunded in the Dashboard, disputed; the team is mailed, and all reconciles."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.driver import TEAM, Driver
from sandbox.plan_reconciliation_check import plan_disagreements
from sandbox.shop import Shop
from tests.journeys.owners import checkout_page, pays
from tests.journeys.test_bundles import BUNDLE, PLAN, given_an_offer
from tests.journeys.test_plan import given_a_subscriber

Json = dict[str, Any]


@pytest.fixture(autouse=True)
async def _the_plan_reconciles(driver: Driver) -> AsyncIterator[None]:
    yield
    await driver.settle()
    assert await plan_disagreements(driver, {shop.workspace_id for shop in driver.shops}) == []


async def invoice_of(driver: Driver, shop: Shop) -> str:
    """The only one of the workspace's customer."""
    invoices = (await driver.stripe.objects(kind="invoice"))["invoice"]
    (invoice,) = [one["id"] for one in invoices if one["customer"] == shop.customer_id]
    return str(invoice)


async def mails(driver: Driver, shop: Shop, beginning: str) -> list[Json]:
    """What the team was mailed about the workspace's plan's money, oldest first."""
    about = await driver.mails_about(shop, to=TEAM)
    return [one for one in about if one["Subject"].startswith(beginning)]


async def listed(driver: Driver, shop: Shop, kind: str) -> tuple[list[Json], list[Json]]:
    """As the owner reads the list, and as staff do."""
    owners = await driver.get(f"/v1/workspaces/{shop.workspace_id}/plan-{kind}", token=shop.token)
    staff = await driver.token(sub="mira", platform_role="super_admin")
    staffs = await driver.get(f"/v1/admin/plan-{kind}?workspace={shop.workspace_id}", token=staff)
    return owners[kind], staffs[kind]


@pytest.mark.parametrize("end", ["won", "lost"])
async def test_a_plan_that_is_refunded_in_part_and_disputed_is_mailed_and_listed(driver: Driver, end: str) -> None:
    shop, _, _ = await given_a_subscriber(driver)
    invoice = await invoice_of(driver, shop)

    refund = await driver.stripe.refund_as_dashboard(invoice=invoice, amount=300)
    await driver.settle()
    dispute = await driver.stripe.open_dispute(invoice=invoice)
    await driver.settle()
    (opened,) = await mails(driver, shop, "Dispute opened")
    assert opened["Subject"] == "Dispute opened: €6.00 of Acme for a plan, now on Builder"
    assert "Answer in Stripe's Dashboard until" in opened["Text"]
    await driver.stripe.close_dispute(dispute["id"], status=end)
    await driver.settle()
    await driver.replay(shop)

    (refunded,) = await mails(driver, shop, "Refund of a plan payment")
    assert refunded["Subject"] == "Refund of a plan payment (refunded): €3.00 of Acme, now on Builder"
    (closed,) = await mails(driver, shop, "Dispute closed")
    assert closed["Subject"].startswith(f"Dispute closed ({end}): €6.00")
    for refunds in await listed(driver, shop, "refunds"):
        assert [(one["stripe_refund_id"], one["refund"], one["status"]) for one in refunds] == [
            (refund["id"], "3.00", "succeeded")
        ]
    for disputes in await listed(driver, shop, "disputes"):
        assert [(one["stripe_dispute_id"], one["dispute"], one["status"]) for one in disputes] == [
            (dispute["id"], "6.00", end)
        ]
    assert (await listed(driver, shop, "disputes"))[1][0]["evidence_due_at"] is not None


async def test_a_bundle_that_is_refunded_gives_back_the_plans_share_too(driver: Driver) -> None:
    shop, addons = await given_an_offer(driver)
    await pays(driver, await checkout_page(driver, shop, *addons))
    await driver.settle()

    await driver.stripe.refund_as_dashboard(invoice=await invoice_of(driver, shop))
    await driver.settle()

    owners, staffs = await listed(driver, shop, "refunds")
    assert [one["refund_cents"] for one in owners] == [PLAN]
    assert [one["whole_cents"] for one in staffs] == [BUNDLE]
    (refunded,) = await mails(driver, shop, "Refund of a plan payment")
    assert refunded["Subject"].startswith("Refund of a plan payment (refunded): €9.00")
