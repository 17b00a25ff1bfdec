"""The owner's plan in a browser: upgrading, a renewal that fails and is healed, cancelling; and what the others see."""

import pytest
from playwright.async_api import expect

from sandbox.driver import Driver
from tests.browser.billing_page import BillingPage, claim, decline_from_now_on, given_a_subscriber
from tests.browser.conftest import Visit
from tests.browser.keys import Keys
from tests.browser.looks import look_at
from tests.browser.people import STAFF, member_of, services
from tests.seen import captured


async def test_one_upgrades_by_the_month_with_a_service_and_sees_builder_without_a_reload(
    visit: Visit, driver: Driver
) -> None:
    addon = await driver.given_an_addon(price="499.00", name="Professional AI Setup for teams of every size")
    shop = await driver.given_a_workspace(card=None)
    page = await BillingPage(await visit(), shop).enter()
    await page.says("Free", "No subscription")
    await look_at(page.visitor, "billing-free")
    await page.service(addon).check()
    await driver.stripe.hold_webhooks()

    await page.go_to_checkout.click()
    await page.page.get_by_role("button", name="Pay").click()

    await page.is_here()
    await expect(page.news).to_contain_text("Stripe is confirming your payment")
    await expect(page.go_to_checkout).to_have_count(0)
    await look_at(page.visitor, "billing-confirming")
    here = page.page.url
    await page.page.goto(f"{here}&since=0")
    await expect(page.news).to_contain_text("still confirming")
    await look_at(page.visitor, "billing-late")
    await page.page.goto(here)
    await page.page.evaluate("document.title = 'the same document'")
    await driver.stripe.release_webhooks()
    await expect(page.news).to_contain_text("Thank you: your workspace has Builder")
    await page.says("Builder", "Active")
    assert await page.page.title() == "the same document"
    await look_at(page.visitor, "billing-welcome")
    assert await captured(driver, shop) == (50_800, 1)


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
async def test_one_upgrades_by_the_year_without_a_mouse(visit: Visit, driver: Driver, javascript: bool) -> None:
    shop = await driver.given_a_workspace(card=None)
    page = BillingPage(await visit(width=360, dark=True, javascript=javascript), shop)
    await page.visitor.open(page.path)
    await page.visitor.pick_by_keys(member_of(shop))
    await expect(page.go_to_checkout).to_be_visible()

    await Keys(page.page).choose(page.interval("Yearly"))
    await Keys(page.page).press(page.go_to_checkout)
    await page.page.get_by_role("button", name="Pay").press("Enter")
    await page.is_here()
    await driver.settle()
    await page.page.reload()

    await page.says("Builder", "Active")
    await expect(page.news).to_contain_text("Thank you")
    assert await captured(driver, shop) == (8_900, 1)


async def test_a_checkout_that_was_left_can_be_gone_on_with(visit: Visit, driver: Driver) -> None:
    addon = await driver.given_an_addon(price="499.00")
    shop = await driver.given_a_workspace(card=None)
    page = await BillingPage(await visit(), shop).enter()
    await page.service(addon).check()
    await page.go_to_checkout.click()
    await page.page.get_by_role("button", name="Cancel").click()
    await page.is_here()
    await expect(page.news).to_contain_text("Nothing is charged before you pay at Stripe")
    await look_at(page.visitor, "billing-begun")

    await page.visitor.open(services(shop))
    waiting = page.page.get_by_text("It waits in a checkout with your plan")
    await expect(waiting).to_be_visible()
    await look_at(page.visitor, "services-in-checkout")
    await waiting.get_by_role("link", name="Plan and billing").click()
    await page.page.get_by_role("link", name="Go on at Stripe").click()
    await page.page.get_by_role("button", name="Pay").click()

    await page.is_here()
    await page.says("Builder", "Active")
    assert await captured(driver, shop) == (50_800, 1)


async def test_a_cancellation_that_stripe_does_not_hear_is_asked_about_again_with_what_was_typed(
    visit: Visit, driver: Driver
) -> None:
    addon, shop = await driver.given_an_addon(), await driver.given_a_workspace(card=None)
    begun = await BillingPage(await visit(), shop).enter()
    await begun.service(addon).check()
    await begun.go_to_checkout.click()
    await begun.page.get_by_role("button", name="Cancel").click()
    await begun.visitor.open(services(shop))
    await driver.stripe.fault("close_before", operation="checkout.sessions.*", times=None)

    await begun.page.get_by_role("list", name="Your purchases").get_by_role("link", name="Cancel").click()
    why = begun.page.get_by_role("textbox", name="Why?")
    await why.fill("We found somebody in-house")
    await begun.page.get_by_role("button", name="Cancel it").click()
    await expect(begun.page.get_by_role("alert")).to_contain_text("Nothing was cancelled")
    await expect(why).to_have_value("We found somebody in-house")
    await look_at(begun.visitor, "cancel-refused")
    await driver.stripe.reset_faults()
    await begun.page.get_by_role("button", name="Cancel it").click()

    await expect(begun.page.locator("#news")).to_contain_text("is cancelled")


async def test_the_back_button_and_a_double_click_open_one_checkout(visit: Visit, driver: Driver) -> None:
    shop = await driver.given_a_workspace(card=None)
    page = await BillingPage(await visit(javascript=False), shop).enter()
    await driver.stripe.fault("latency", operation="checkout.sessions.create", seconds=2)
    await page.go_to_checkout.dblclick()
    await expect(page.page.get_by_role("button", name="Pay")).to_be_visible()
    await page.page.go_back()
    await page.visitor.open(page.path)
    await page.go_to_checkout.click()
    await expect(page.page.get_by_role("button", name="Pay")).to_be_visible()

    sessions = (await driver.stripe.objects(kind="checkout.session"))["checkout.session"]
    live = [one["url"] for one in sessions if one["customer"] == shop.customer_id and one["status"] == "open"]

    assert live == [page.page.url]


async def test_while_stripe_is_away_nothing_is_charged_and_the_choice_stands(visit: Visit, driver: Driver) -> None:
    shop = await driver.given_a_workspace(card=None)
    page = await BillingPage(await visit(), shop).enter()
    await driver.stripe.fault("close_before", operation="checkout.sessions.create", times=9)
    await page.interval("Yearly").check()

    await page.go_to_checkout.click()

    refused = page.page.get_by_role("alert")
    await expect(refused).to_contain_text("Our payment provider does not answer")
    await expect(refused).to_contain_text("Nothing was charged")
    await expect(page.interval("Yearly")).to_be_checked()
    await look_at(page.visitor, "billing-stripe-away")
    await driver.end_mishaps()
    await page.go_to_checkout.click()
    await expect(page.page.get_by_role("button", name="Pay")).to_be_visible()


async def test_a_failed_renewal_is_said_and_a_new_card_in_the_portal_heals_it(visit: Visit, driver: Driver) -> None:
    shop, subscription = await given_a_subscriber(driver)
    await decline_from_now_on(driver, shop)
    await driver.stripe.renew(subscription["id"])
    await driver.settle()
    page = await BillingPage(await visit(), shop).enter()
    await expect(page.page.locator("#overdue")).to_contain_text("Your workspace keeps Builder for now")
    await page.says("Builder", "Payment overdue")
    await look_at(page.visitor, "billing-past-due")

    await page.page.get_by_role("button", name="Change the card").click()
    await page.page.locator("#card-visa").check()
    await page.page.locator("#card").click()
    await page.page.locator("#back").click()

    await page.is_here()
    await expect(page.news).to_contain_text("You are back from Stripe")
    await page.says("Builder", "Active")
    await expect(page.page.locator("#overdue")).to_have_count(0)
    await look_at(page.visitor, "billing-back")
    assert await captured(driver, shop) == (1_800, 2)


async def test_a_renewal_that_stripe_has_given_up_is_said_to_be_unpaid(visit: Visit, driver: Driver) -> None:
    shop, subscription = await given_a_subscriber(driver)
    await decline_from_now_on(driver, shop)
    await driver.stripe.settings(dunning_end="unpaid")
    try:
        await driver.stripe.renew(subscription["id"])
        await driver.stripe.exhaust_retries(subscription["id"])
    finally:
        await driver.stripe.settings(dunning_end="cancel")
    await driver.settle()

    page = await BillingPage(await visit(), shop).enter()

    await page.says("Builder", "Unpaid")
    await expect(page.page.locator("#overdue")).to_contain_text("Pay the open invoice in Stripe's portal")
    await look_at(page.visitor, "billing-unpaid")


async def test_one_cancels_in_the_portal_and_keeps_the_plan_until_its_end(visit: Visit, driver: Driver) -> None:
    shop, _ = await given_a_subscriber(driver)
    page = await BillingPage(await visit(locale="de-DE"), shop).enter()
    await page.says("Builder", "Active")
    await look_at(page.visitor, "billing-active")

    await page.manage.click()
    await page.page.get_by_role("button", name="Cancel plan").click()
    await page.page.locator("#back").click()

    await page.is_here()
    await page.says("Builder", "Ends soon")
    await look_at(page.visitor, "billing-ends-soon")


async def test_one_ends_the_plan_at_once_and_sees_what_is_over_its_caps(visit: Visit, driver: Driver) -> None:
    shop, _ = await given_a_subscriber(driver)
    for resource, number in (("projects", 3), ("seats", 1), ("byok_keys", 2)):
        await claim(driver, shop, resource, number)
    page = await BillingPage(await visit(), shop).enter()

    await page.page.get_by_text("End it at once instead").click()
    await page.page.get_by_role("button", name="end it at once").click()
    await page.page.get_by_role("button", name="Cancel plan").click()
    await page.page.locator("#back").click()

    await page.is_here()
    await page.says("Free", "Ended")
    await expect(page.page.get_by_text("Over the cap: nothing is deleted")).to_be_visible()
    await expect(page.page.get_by_text("Frozen: this plan has none.")).to_be_visible()
    await expect(page.go_to_checkout).to_be_visible()
    await look_at(page.visitor, "billing-ended-over-cap")


async def test_one_that_is_paused_is_said_to_be(visit: Visit, driver: Driver) -> None:
    shop, subscription = await given_a_subscriber(driver)
    await driver.stripe.pause(subscription["id"])
    await driver.settle()

    page = await BillingPage(await visit(), shop).enter()

    await page.says("Free", "Paused")
    await look_at(page.visitor, "billing-paused")


@pytest.mark.parametrize("role", ["admin", "editor", "viewer", "super_admin"])
async def test_the_others_see_the_plan_and_who_can_change_it(visit: Visit, driver: Driver, role: str) -> None:
    shop, _ = await given_a_subscriber(driver)
    person = STAFF if role == "super_admin" else member_of(shop, role)

    page = await BillingPage(await visit(), shop).enter(person)

    await page.says("Builder", "Active")
    await expect(page.page.get_by_text("Only the owner of this workspace")).to_contain_text(shop.owner_email)
    await expect(page.page.locator("#main").get_by_role("button")).to_have_count(0)
    await look_at(page.visitor, f"billing-{role}")
