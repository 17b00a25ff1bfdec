"""What staff decide about what was set aside: whose it is, that nothing comes of it, that it is tried again."""

from playwright.async_api import Locator, expect

from sandbox.driver import Driver
from tests.browser.billing_page import given_a_subscriber
from tests.browser.conftest import Visit
from tests.browser.looks import look_at
from tests.browser.people import Visitor
from tests.browser.staff import PARKED, given_staff
from tests.givens import NEEDS_THE_BANK


async def test_a_part_of_a_bundles_charge_is_given_to_the_purchase_that_staff_name(
    visit: Visit, driver: Driver
) -> None:
    addons = [await driver.given_an_addon() for _ in range(2)]
    shop, subscription = await given_a_subscriber(driver, *addons)
    await driver.stripe.refund_as_dashboard(invoice=subscription["latest_invoice"], amount=700)
    await driver.settle()
    history = await driver.get(f"/v1/workspaces/{shop.workspace_id}/purchases", token=shop.token)
    mine = history["purchases"][0]["id"]
    staff = await given_staff(visit, PARKED)
    page = staff.page

    await page.get_by_role("listitem").filter(has_text="paid several things").get_by_role("link").first.click()
    await page.get_by_label("Id of the purchase").fill(mine)
    await page.get_by_role("button", name="Look at that purchase").click()
    await look_at(staff, "parked-allocate")
    await page.get_by_role("button", name="Yes, it is of this purchase").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await driver.settle()

    assert (await driver.record(mine))["refunded_cents"] == 700


async def test_a_refund_that_the_bank_gives_back_is_discarded_with_a_reason_that_stays(
    visit: Visit, driver: Driver
) -> None:
    _, subscription = await given_a_subscriber(driver, await driver.given_an_addon(), await driver.given_an_addon())
    refund = await driver.stripe.refund_as_dashboard(invoice=subscription["latest_invoice"], amount=300)
    await driver.settle()
    staff = await given_staff(visit, PARKED)
    page = staff.page

    item = page.get_by_role("listitem").filter(has_text="paid several things").get_by_role("link").first
    address = await item.get_attribute("href")
    await item.click()
    await page.get_by_role("link", name="Discard …").click()
    await page.get_by_role("button", name="Discard it").click()
    await expect(page.locator("#reason-error")).to_have_text("Please fill this in.")
    await page.get_by_label("Reason").fill("Sent by mistake: the bank gives it back to us")
    await page.get_by_role("button", name="Discard it").dblclick()

    await expect(page.get_by_role("status")).to_have_text("It is discarded, with your reason.")
    await expect(page.get_by_role("main")).to_contain_text("Sent by mistake: the bank gives it back to us")
    await expect(page.get_by_role("button", name="Try it again now")).to_have_count(0)
    await look_at(staff, "parked-discarded")
    await page.get_by_role("link", name="Back to the list").click()
    await expect(page.locator(f"a[href='{address}']")).to_have_count(0)
    await page.get_by_role("link", name="Done with").click()
    await expect(page.get_by_role("listitem").filter(has=page.locator(f"a[href='{address}']"))).to_contain_text(
        "Discarded"
    )
    await driver.stripe.settle_refund(refund["id"], status="failed")
    await driver.settle()
    await staff.open(PARKED)
    await expect(page.get_by_role("listitem").filter(has_text="paid several things")).to_have_count(0)


async def test_a_refund_that_came_too_early_is_seen_and_tried_again(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(card=NEEDS_THE_BANK), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    await driver.settle()
    await driver.stripe.hold_webhooks("invoice*")
    await driver.stripe.fault("error_before", operation="invoices.retrieve", times=None, stored=False)
    await driver.answer_bank(purchase["action_url"])
    await driver.refund(purchase)
    staff = await given_staff(visit, PARKED)
    waits = staff.page.get_by_role("listitem").filter(has_text=f"paid:{purchase['id']}")
    await driver.until(lambda: _is_listed(staff, waits), "the refund waits")
    await look_at(staff, "parked")

    await waits.get_by_role("link").first.click()
    await look_at(staff, "parked-item")
    await staff.page.get_by_role("link", name="Discard …").click()
    await look_at(staff, "parked-discard")
    await staff.page.get_by_role("link", name="Keep it").click()
    await driver.end_mishaps()
    await staff.page.get_by_role("button", name="Try it again now").click()
    await driver.settle()

    await staff.page.reload()
    await expect(staff.page.get_by_role("button", name="Try it again now")).to_have_count(0)
    assert (await driver.record(purchase["id"]))["status"] == "refunded"


async def _is_listed(staff: Visitor, item: Locator) -> bool:
    await staff.page.reload()
    return await item.count() > 0
