"""What a plan brought goes back: refunded in the Dashboard, disputed; the team is mailed, and the books agree."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.driver import TEAM, Scene, Shop
from sandbox.plan_reconciliation_check import plan_disagreements
from tests.journeys.owners import checkout_page, pays
from tests.journeys.test_bundles import BUNDLE, PLAN, given_an_offer
from tests.journeys.test_plan import given_a_subscriber

Json = dict[str, Any]


@pytest.fixture(autouse=True)
async def _the_plan_reconciles(scene: Scene) -> AsyncIterator[None]:
    yield
    await scene.settle()
    assert await plan_disagreements(scene, {shop.workspace_id for shop in scene.shops}) == []


async def invoice_of(scene: Scene, shop: Shop) -> str:
    """The only one of the workspace's customer."""
    invoices = (await scene.stripe.objects(kind="invoice"))["invoice"]
    (invoice,) = [one["id"] for one in invoices if one["customer"] == shop.customer_id]
    return str(invoice)


async def mails(scene: Scene, shop: Shop, beginning: str) -> list[Json]:
    """What the team was mailed about the workspace's plan's money, oldest first."""
    about = await scene.mails_about(shop, to=TEAM)
    return [one for one in about if one["Subject"].startswith(beginning)]


async def listed(scene: Scene, shop: Shop, kind: str) -> tuple[list[Json], list[Json]]:
    """As the owner reads the list, and as staff do."""
    owners = await scene.get(f"/v1/workspaces/{shop.workspace_id}/plan-{kind}", token=shop.token)
    staff = await scene.token(sub="mira", platform_role="super_admin")
    staffs = await scene.get(f"/v1/admin/plan-{kind}?workspace={shop.workspace_id}", token=staff)
    return owners[kind], staffs[kind]


@pytest.mark.parametrize("end", ["won", "lost"])
async def test_a_plan_that_is_refunded_in_part_and_disputed_is_mailed_and_listed(scene: Scene, end: str) -> None:
    shop, _, _ = await given_a_subscriber(scene)
    invoice = await invoice_of(scene, shop)

    refund = await scene.stripe.refund_as_dashboard(invoice=invoice, amount=300)
    await scene.settle()
    dispute = await scene.stripe.open_dispute(invoice=invoice)
    await scene.settle()
    (opened,) = await mails(scene, shop, "Dispute opened")
    assert opened["Subject"] == "Dispute opened: €6.00 of Acme for a plan, now on Builder"
    assert "Answer in Stripe's Dashboard until" in opened["Text"]
    await scene.stripe.close_dispute(dispute["id"], status=end)
    await scene.settle()
    await scene.replay(shop)

    (refunded,) = await mails(scene, shop, "Refund of a plan payment")
    assert refunded["Subject"] == "Refund of a plan payment (refunded): €3.00 of Acme, now on Builder"
    (closed,) = await mails(scene, shop, "Dispute closed")
    assert closed["Subject"].startswith(f"Dispute closed ({end}): €6.00")
    for refunds in await listed(scene, shop, "refunds"):
        assert [(one["stripe_refund_id"], one["refund"], one["status"]) for one in refunds] == [
            (refund["id"], "3.00", "succeeded")
        ]
    for disputes in await listed(scene, shop, "disputes"):
        assert [(one["stripe_dispute_id"], one["dispute"], one["status"]) for one in disputes] == [
            (dispute["id"], "6.00", end)
        ]
    assert (await listed(scene, shop, "disputes"))[1][0]["evidence_due_at"] is not None


async def test_a_bundle_that_is_refunded_gives_back_the_plans_share_too(scene: Scene) -> None:
    shop, addons = await given_an_offer(scene)
    await pays(scene, await checkout_page(scene, shop, *addons))
    await scene.settle()

    await scene.stripe.refund_as_dashboard(invoice=await invoice_of(scene, shop))
    await scene.settle()

    owners, staffs = await listed(scene, shop, "refunds")
    assert [one["refund_cents"] for one in owners] == [PLAN]
    assert [one["whole_cents"] for one in staffs] == [BUNDLE]
    (refunded,) = await mails(scene, shop, "Refund of a plan payment")
    assert refunded["Subject"].startswith("Refund of a plan payment (refunded): €9.00")
