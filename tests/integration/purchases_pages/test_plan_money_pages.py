"""Staff who look for a workspace see what went back of its plan's money, and until when a dispute takes evidence."""

from contracts.stripe_facts import RefundChanged
from tests.integration.purchases.bundles import given_a_bundle, invoice_of
from tests.integration.purchases.checkouts import complete, given_builder_and_two_addons, open_page, upgrade
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_api.conftest import STAFF
from tests.integration.purchases_pages.conftest import Site


async def test_refunds_and_disputes_of_a_plan_stand_beside_the_workspaces_purchases(
    harness: Harness, site: Site
) -> None:
    await given_builder_and_two_addons(harness)
    workspace = await harness.given_a_workspace()
    await complete(harness, (await open_page(harness, upgrade(workspace))).session_id)
    (invoice,) = await harness.rows("select stripe_invoice_id from subscription_invoices")
    refund = await harness.control.refund_as_dashboard(invoice=invoice["stripe_invoice_id"], amount=300)
    dispute = await harness.control.open_dispute(invoice=invoice["stripe_invoice_id"])
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    answer = await site.visitor(STAFF).http.get(f"/admin/purchases?workspace={workspace}")

    assert "Money of the plan" in answer.text
    assert [one for one in (refund["id"], dispute["id"], "Evidence until", "€3.00") if one not in answer.text] == []
    assert "Money of the plan" not in (await site.visitor(STAFF).http.get("/admin/purchases")).text


async def test_what_is_set_aside_about_a_plan_stands_there_too(harness: Harness, site: Site) -> None:
    await given_builder_and_two_addons(harness)
    workspace = await harness.given_a_workspace()
    await complete(harness, (await open_page(harness, upgrade(workspace))).session_id)
    (invoice,) = await harness.rows("select stripe_invoice_id from subscription_invoices")
    await harness.control.refund_as_dashboard(invoice=invoice["stripe_invoice_id"], amount=300)
    (*_, refund) = [fact for fact in await harness.facts() if isinstance(fact, RefundChanged)]
    odd = {"stripe_event_id": "evt_usd", "refund": refund.refund.model_copy(update={"currency": "usd"})}
    await harness.deliver(refund.model_copy(update=odd))

    answer = await site.visitor(STAFF).http.get(f"/admin/purchases?workspace={workspace}")

    (parked,) = await harness.parked()
    assert f"/admin/parked/fact-{parked['id']}" in answer.text
    assert "in another currency" in answer.text


async def test_the_plans_share_of_a_bundle_says_of_how_much(harness: Harness, site: Site) -> None:
    purchases = await given_a_bundle(harness)
    await harness.control.refund_as_dashboard(invoice=await invoice_of(harness))
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    answer = await site.visitor(STAFF).http.get(f"/admin/purchases?workspace={purchases[0].workspace_id}")

    assert "€9.00" in answer.text
    assert "The plan&#39;s share of €608.00" in answer.text or "The plan's share of €608.00" in answer.text
