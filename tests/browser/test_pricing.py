"""The price page, for anybody."""

from playwright.async_api import expect

from sandbox.driver import Driver
from tests.browser.conftest import Visit
from tests.browser.looks import look_at
from tests.browser.people import billing, member_of


async def test_anybody_sees_what_everything_costs_and_is_led_to_signing_in(visit: Visit, driver: Driver) -> None:
    addon, somebody = await driver.given_an_addon(price="1499.50"), await visit(locale="de-DE")

    await somebody.open("/")

    await expect(somebody.page.get_by_role("heading", level=1)).to_have_text("Prices")
    card = somebody.page.locator(f"#{addon['slug']}")
    await expect(card).to_contain_text("1.499,50\N{NO-BREAK SPACE}€")
    await expect(somebody.page.get_by_role("link", name="Sign in to choose Builder")).to_be_visible()
    await look_at(somebody, "pricing")


async def test_an_owner_is_led_to_choosing_a_plan(visit: Visit, driver: Driver) -> None:
    shop, owner = await driver.given_a_workspace(), await visit()
    await owner.open("/pricing")

    await owner.page.get_by_role("link", name="Sign in to choose Builder").click()
    await owner.pick(member_of(shop))
    await owner.page.get_by_role("link", name="Choose Builder").click()

    await owner.page.wait_for_url(f"{driver.stack.pages_url}{billing(shop)}")


async def test_who_views_one_workspace_and_owns_another_chooses_for_the_one_they_come_from(
    visit: Visit, driver: Driver
) -> None:
    alpha, beta = [await driver.given_a_workspace(name=name) for name in ("Alpha", "Beta")]
    roles = {alpha.workspace_id: "viewer", beta.workspace_id: "owner"}
    token = await driver.token(sub=beta.owner_id, email=beta.owner_email, workspaces=roles)
    visitor = await visit()
    await visitor.context.add_cookies([{"name": "quittance_session", "value": token, "url": driver.stack.pages_url}])
    main = visitor.page.get_by_role("navigation", name="Main")

    await visitor.open(billing(alpha))
    await main.get_by_role("link", name="Prices").click()
    await expect(visitor.page.get_by_text("Only the owner of your workspace can choose it.")).to_be_visible()
    await look_at(visitor, "pricing-viewer")
    await visitor.page.get_by_role("link", name="See your plan").click()
    await visitor.page.wait_for_url(f"{driver.stack.pages_url}{billing(alpha)}")
    await visitor.open(billing(beta))
    await main.get_by_role("link", name="Prices").click()
    await visitor.page.get_by_role("link", name="Choose Builder").click()

    await visitor.page.wait_for_url(f"{driver.stack.pages_url}{billing(beta)}")
    await expect(visitor.page.get_by_role("heading", name="Upgrade to Builder")).to_be_visible()
