"""The price page, for anybody."""

from playwright.async_api import expect

from sandbox.scene import Scene
from tests.browser.conftest import Visit
from tests.browser.looks import look_at
from tests.browser.people import billing, member_of


async def test_anybody_sees_what_everything_costs_and_is_led_to_signing_in(visit: Visit, scene: Scene) -> None:
    addon, somebody = await scene.given_an_addon(price="1499.50"), await visit(locale="de-DE")

    await somebody.open("/")

    await expect(somebody.page.get_by_role("heading", level=1)).to_have_text("Prices")
    card = somebody.page.locator(f"#{addon['slug']}")
    await expect(card).to_contain_text("1.499,50\N{NO-BREAK SPACE}€")
    await expect(somebody.page.get_by_role("link", name="Sign in to choose Builder")).to_be_visible()
    await look_at(somebody, "pricing")


async def test_an_owner_is_led_to_choosing_a_plan(visit: Visit, scene: Scene) -> None:
    shop, owner = await scene.given_a_workspace(), await visit()
    await owner.open("/pricing")

    await owner.page.get_by_role("link", name="Sign in to choose Builder").click()
    await owner.pick(member_of(shop))
    await owner.page.get_by_role("link", name="Choose Builder").click()

    await owner.page.wait_for_url(f"{scene.stack.pages_url}{billing(shop)}")
