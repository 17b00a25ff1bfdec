"""What waits on the Services page is looked at ever less, and never for what does not come by itself."""

import time

import pytest

from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.owners import an_owner
from tests.integration.purchases_pages.reading import Attributes, Page

LONGER = "This takes longer than usual."


def row_of(page: Page, purchase_id: object) -> Attributes:
    return page.elements[f"purchase-{purchase_id}"]


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED])
@pytest.mark.parametrize(
    ("waited", "trigger"),
    [(-60, "every 2s"), (0, "every 2s"), (70, "every 5s"), (200, "every 15s"), (700, None)],
)
async def test_what_is_awaited_is_looked_at_ever_less_and_at_last_no_more(
    harness: Harness, site: Site, status: Status, waited: int, trigger: str | None
) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, status, payable=True)
    live = f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/live"

    since = int(time.time()) - waited
    page = await site.owner(purchase.workspace_id).open(f"{live}?since={since}", **{"HX-Request": "true"})

    row = row_of(page, purchase.id)
    assert row.get("hx-trigger") == trigger
    assert (LONGER in page.text) == (trigger is None) == ("hx-get" not in row)
    if trigger and waited >= 0:
        assert str(row["hx-get"]).endswith(f"since={since}")
    assert "Look again at Professional AI Setup" in page.links


async def test_what_was_stopped_is_looked_at_anew_by_who_wants_to(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    here = f"/app/{purchase.workspace_id}/billing/addons"
    owner = site.owner(purchase.workspace_id)

    stopped = await owner.open(f"{here}/{purchase.id}/live?since=0&returned=succeeded")
    anew = await owner.open(stopped.links["Look again at Professional AI Setup"])

    assert "Confirm with your bank" in stopped.links
    assert row_of(anew, purchase.id)["hx-trigger"] == "every 2s"
    assert "Your bank wants you to confirm the payment" in anew.text


async def test_one_that_waits_in_an_open_checkout_says_where_and_until_when_and_is_not_looked_at_again(
    harness: Harness, site: Site
) -> None:
    owner = await an_owner(harness, site)
    await owner.upgrade("setup")
    here = f"/app/{owner.workspace}/billing/addons"
    (row,) = await harness.rows("select id from workspace_addon_purchases")

    page = await owner.browser.open(f"{here}?about={row['id']}")
    live = await owner.browser.open(f"{here}/{row['id']}/live?was=pending")
    await harness.execute("update checkout_sessions set expires_at = now() - interval '1 minute'")
    expiring = await owner.browser.open(here)

    for one in (page, live):
        assert "It waits in a checkout with your plan, open until " in one.text
        assert "hx-get" not in row_of(one, row["id"])
        assert one.links["Plan and billing"] == owner.here
    assert (
        "Professional AI Setup waits in a checkout with your plan Nothing is charged before that is paid" in page.text
    )
    assert "settles by itself" not in page.text
    assert row_of(expiring, row["id"])["hx-trigger"] == "every 2s"


async def test_once_the_checkout_is_paid_its_service_is_awaited_like_any_other(harness: Harness, site: Site) -> None:
    owner = await an_owner(harness, site)
    await owner.upgrade("setup")
    here = f"/app/{owner.workspace}/billing/addons"
    (row,) = await harness.rows("select id from workspace_addon_purchases")
    await owner.pay()

    unheard = await owner.browser.open(f"{here}?about={row['id']}")
    await harness.run_jobs()
    heard = await owner.browser.open(f"{here}?about={row['id']}")
    await owner.hear()
    paid = await owner.browser.open(f"{here}?about={row['id']}")

    assert "If it was paid just now, this page says so once Stripe has told us" in unheard.text
    assert "We wait for the payment of Professional AI Setup to be confirmed It settles by itself" in heard.text
    assert row_of(heard, row["id"])["hx-trigger"] == "every 2s"
    assert "You have bought Professional AI Setup" in paid.text
