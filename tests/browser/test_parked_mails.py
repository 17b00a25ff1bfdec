"""What staff decide about mails that could not be sent: seen without people in it, tried again, ended with a reason."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from sandbox.driver import Driver
from tests.browser.conftest import Visit
from tests.browser.keys import Keys
from tests.browser.looks import fits, look_at
from tests.browser.people import Visitor
from tests.browser.staff import MAILS, PARKED, given_staff


@pytest.fixture(autouse=True)
async def mended(driver: Driver) -> AsyncIterator[None]:
    """The mail server refuses nobody any more."""
    yield
    await refuse(driver)


async def refuse(driver: Driver, *addresses: str) -> None:
    """Have the mail server say for good that there are no such mailboxes."""
    answer = await driver.http.post(f"{driver.stack.mailbox_url}/_sandbox/faults", json={"refuse": list(addresses)})
    assert answer.is_success, answer.text


async def given_a_refused_mail(driver: Driver) -> dict[str, Any]:
    """A purchase whose refund its owner cannot be mailed about."""
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase: dict[str, Any] = (await driver.buy(shop, addon)).json()
    await driver.settle()
    await refuse(driver, shop.owner_email)
    await driver.refund(purchase)
    await driver.settle()
    return {**purchase, "shop": shop}


def mail_of(staff: Visitor, purchase: dict[str, Any]) -> Locator:
    waiting = staff.page.locator("#waiting").get_by_role("listitem")
    return waiting.filter(has_text=purchase["id"]).get_by_role("link").first


async def test_a_refused_mail_is_found_from_what_is_set_aside_and_sent_once_its_address_works(
    visit: Visit, driver: Driver
) -> None:
    purchase = await given_a_refused_mail(driver)
    staff = await given_staff(visit, PARKED, javascript=False)
    page = staff.page

    await page.get_by_role("link", name="Mails", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Set aside by the notifier")
    await expect(page.get_by_role("main")).not_to_contain_text(purchase["shop"].owner_email)
    await fits(page)
    await mail_of(staff, purchase).click()
    await expect(page.get_by_role("link", name="The purchase")).to_have_attribute(
        "href", f"/admin/purchases/{purchase['id']}"
    )
    await refuse(driver)
    await page.get_by_role("button", name="Try it again now").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await driver.settle()

    await staff.open(MAILS)
    await expect(mail_of(staff, purchase)).to_have_count(0)
    assert len(await driver.mails_to(purchase["shop"].owner_email)) == 1


async def test_one_with_a_keyboard_ends_a_mail_with_a_reason_that_stays(visit: Visit, driver: Driver) -> None:
    purchase = await given_a_refused_mail(driver)
    staff = await given_staff(visit, MAILS)
    page, keys = staff.page, Keys(staff.page)
    await look_at(staff, "parked-mails")

    await keys.press(mail_of(staff, purchase))
    await keys.press(page.get_by_role("button", name="Discard it"))
    await expect(page.locator("#reason-error")).to_have_text("Say why, for whoever looks later.")
    await look_at(staff, "parked-mail")
    await keys.type_into(page.get_by_label("Reason for discarding it"), "They were told by phone")
    await keys.press(page.get_by_role("button", name="Discard it"))

    await expect(page.get_by_role("status")).to_have_text("It is discarded, with your reason.")
    await expect(page.get_by_role("main")).to_contain_text("They were told by phone")
    await expect(page.get_by_role("button", name="Discard it")).to_have_count(0)
    await keys.press(page.get_by_role("link", name="Back to the list"))
    await expect(mail_of(staff, purchase)).to_have_count(0)
    await expect(page.get_by_role("listitem").filter(has_text="They were told by phone")).to_have_count(1)
    driver.shops.remove(purchase["shop"])  # each mail must reconcile, and this one is never sent


async def test_all_mails_are_sent_again_at_once(visit: Visit, driver: Driver) -> None:
    purchases = [await given_a_refused_mail(driver) for _ in range(2)]
    staff = await given_staff(visit, MAILS)
    await refuse(driver)

    await staff.page.get_by_role("button", name="Send all mails again").click()
    await expect(staff.page.get_by_role("status")).to_contain_text("Tried again: 2")
    await driver.settle()

    await staff.open(MAILS)
    for purchase in purchases:
        await expect(mail_of(staff, purchase)).to_have_count(0)
