"""Whatever a buyer's fingers, browser and network do: one charge, and the page says the truth."""

import asyncio

from playwright.async_api import expect

from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.browser.conftest import Visit
from tests.browser.looks import look_at
from tests.browser.people import member_of
from tests.browser.services_page import ServicesPage
from tests.seen import captured


async def test_a_double_click_is_one_charge(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()

    await page.buy_button(addon).dblclick()

    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_double_click_without_javascript_is_one_charge(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(javascript=False), shop).enter()

    await page.buy_button(addon).dblclick()

    await page.has_one("Paid")
    await driver.settle()
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_reload_after_buying_buys_nothing(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()
    await page.buy_button(addon).click()
    await page.has_one("Paid")

    await page.page.reload()

    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_the_back_button_leads_to_a_page_that_tells_the_truth(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()
    await page.buy_button(addon).click()
    await page.has_one("Paid")

    await page.page.go_back()

    await expect(page.buy_button(addon)).to_be_disabled()
    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_the_second_tab_says_that_it_is_bought(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    first = await ServicesPage(await visit(), shop).enter()
    second = await ServicesPage(await visit(), shop).enter(member_of(shop, "admin"))
    await first.buy_button(addon).click()
    await first.has_one("Paid")

    await second.buy_button(addon).click()

    await expect(second.news).to_contain_text("Your workspace has bought this already")
    await expect(second.news).to_contain_text("It was not charged again")
    await second.has_one("Paid")
    await look_at(second.visitor, "services-already-bought")
    assert await captured(driver, shop) == (49_900, 1)


async def test_two_tabs_at_once_are_one_charge(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    tabs = [await ServicesPage(await visit(), shop).enter() for _ in range(2)]

    await asyncio.gather(*(tab.buy_button(addon).click() for tab in tabs))
    await driver.settle()

    for tab in tabs:
        await tab.visitor.open(tab.path)
        await tab.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_slow_provider_is_asked_once_however_often_one_presses(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page, sent = await ServicesPage(await visit(), shop).enter(), list[str]()
    page.page.on("request", lambda request: sent.append(request.method))
    await driver.stripe.fault("latency", operation="invoices.pay", seconds=5)
    button = await page.buy_button(addon).bounding_box()
    assert button is not None

    for _ in range(3):
        await page.page.mouse.click(button["x"] + button["width"] / 2, button["y"] + button["height"] / 2)
        await asyncio.sleep(0.5)

    await page.has_one("Paid")
    assert sent.count("POST") == 1
    assert await captured(driver, shop) == (49_900, 1)


async def test_an_answer_that_is_lost_is_pending_and_then_paid(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()
    await driver.stripe.hold_webhooks()
    await driver.stripe.fault("error_after", operation="invoices.pay", times=None)
    await driver.stripe.fault("error_before", operation="invoices.retrieve", times=None, stored=False)

    await page.buy_button(addon).click()

    await page.has_one("Pending")
    await expect(page.news).to_contain_text("never charged twice")
    await look_at(page.visitor, "services-unknown")
    await driver.end_mishaps()
    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_provider_that_is_away_charges_nothing(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()
    await driver.stripe.fault("error_before", operation="*", times=None, stored=False, status=503)

    await page.buy_button(addon).click()

    await expect(page.news).to_contain_text("Our payment provider does not answer")
    await expect(page.news).to_contain_text("Nothing was charged")
    await driver.end_mishaps()
    await page.buy_button(addon).click()
    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_session_that_ends_in_the_middle_loses_nothing(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()
    await page.visitor.context.clear_cookies()
    await page.buy_button(addon).click()
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Your session has ended")
    await look_at(page.visitor, "session-ended")
    assert await captured(driver, shop) == (0, 0)

    async with page.visitor.context.expect_page() as opened:
        await page.page.get_by_role("link", name="Sign in again").click()
    other = await opened.value
    await page.visitor.pick(member_of(shop), on=other)
    await expect(other.get_by_role("heading", level=1)).to_have_text("You are signed in")
    await look_at(page.visitor, "signed-in", page=other)
    await page.page.get_by_role("button", name="Send it once more").click()

    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)


async def test_a_form_from_a_foreign_site_buys_nothing(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    page = await ServicesPage(await visit(), shop).enter()
    (session,) = [one for one in await page.visitor.context.cookies() if one["name"] == "quittance_session"]

    form = {"addon": addon["slug"], "price_cents": addon["price_cents"], "currency": "EUR", "key": "0" * 32}
    refused = await driver.http.post(
        f"{driver.stack.pages_url}{page.path}",
        data=form,
        headers={"Cookie": f"quittance_session={session['value']}", "Origin": "http://evil.test"},
    )

    assert refused.status_code == 403
    assert refused.headers["content-type"].startswith("text/html")
    assert await captured(driver, shop) == (0, 0)


async def test_a_service_that_is_down_is_said_and_nothing_is_charged(
    visit: Visit, driver: Driver, stack: EmbeddedStack
) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon(price="499.00")
    page = await ServicesPage(await visit(), shop).enter()
    await stack.stop_process("purchases-api")
    try:
        await page.buy_button(addon).click()
        await expect(page.page.get_by_text("nothing was charged")).to_be_visible()
        await look_at(page.visitor, "out-of-reach")
    finally:
        await stack.start("purchases-api")

    await page.page.reload()  # sends the form again, as a browser asks whether to

    await page.has_one("Paid")
    assert await captured(driver, shop) == (49_900, 1)
