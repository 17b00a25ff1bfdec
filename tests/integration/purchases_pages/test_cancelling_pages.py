"""Cancelling on the page: what it means is said first, and it is done once."""

import pytest

from purchases.domain.transitions import Status
from tests.integration.purchases.world import World
from tests.integration.purchases_pages.conftest import Site

CANCEL = "Cancel Professional AI Setup"


async def test_a_paid_purchase_is_cancelled_after_saying_what_that_means(world: World, site: Site) -> None:
    purchase = await world.given_a_purchase()
    owner = site.owner(purchase.workspace_id)

    page = await owner.open(f"/app/{purchase.workspace_id}/billing/addons")
    asked = await owner.open(page.links[CANCEL])
    done = await owner.submit(asked.form("Cancel it"), reason="We found somebody in-house")
    again = await owner.submit(asked.form("Cancel it"))

    assert "€499.00 was paid for it. Cancelling stops the work, and returns nothing by itself" in asked.text
    assert "Professional AI Setup is cancelled €499.00 was paid. Cancelling returns nothing by itself" in done.text
    assert (done.status, again.text) == (200, done.text)
    assert (await world.purchase(purchase.id)).status is Status.CANCELLED
    (line,) = await world.rows("select actor, reason from purchase_transitions where to_status = 'cancelled'")
    assert line == {"actor": "user:olga", "reason": "We found somebody in-house"}


async def test_a_pending_one_is_cancelled_and_never_charged(world: World, site: Site) -> None:
    purchase = await world.given_a_purchase("pm_card_authenticationRequired")
    owner = site.owner(purchase.workspace_id)

    asked = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")
    done = await owner.submit(asked.form("Cancel it"))

    assert "It is not paid yet." in asked.text
    assert "Nothing is charged for it; what your bank may have taken already goes back by itself." in done.text


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.FAILED, Status.REFUNDED, Status.CANCELLED])
async def test_what_cannot_be_cancelled_offers_no_way_to(world: World, site: Site, status: Status) -> None:
    purchase = await world.given_a_purchase()
    owner = site.owner(purchase.workspace_id)
    asked = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")
    await world.put(purchase, status, payable=False)

    page = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")
    late = await owner.submit(asked.form("Cancel it"))

    assert [link for link in page.links if link.startswith("Cancel")] == []
    assert late.status == (200 if status is Status.CANCELLED else 409)
    assert (await world.purchase(purchase.id)).status is status
