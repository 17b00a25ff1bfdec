"""Who may open the buyer's pages, who reads what, and who is not even shown the way."""

import pytest
from playwright.async_api import expect

from sandbox.driver import Driver
from tests.browser.conftest import Visit
from tests.browser.keys import Keys
from tests.browser.looks import look_at
from tests.browser.people import STAFF, member_of, services


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_buyers_see_the_services_and_the_way_there(visit: Visit, driver: Driver, role: str) -> None:
    shop, buyer = await driver.given_a_workspace(), await visit()

    await buyer.sign_in(member_of(shop, role), at=services(shop))

    await expect(buyer.page.get_by_role("heading", level=1)).to_have_text("Services")
    await expect(buyer.page.get_by_role("navigation").get_by_role("link", name="Services")).to_be_visible()


@pytest.mark.parametrize(("role", "status"), [("editor", 403), ("viewer", 403), ("stranger", 404)])
async def test_nobody_else_of_the_product_sees_them(visit: Visit, driver: Driver, role: str, status: int) -> None:
    shop, somebody = await driver.given_a_workspace(), await visit()
    await somebody.sign_in(member_of(shop, role), at=services(shop))

    answer = await somebody.page.reload()

    assert answer is not None
    assert answer.status == status
    await expect(somebody.page.get_by_role("navigation").get_by_role("link", name="Services")).to_have_count(0)
    await expect(somebody.page.get_by_role("button", name="Buy now")).to_have_count(0)
    await look_at(somebody, f"services-{role}")


async def test_staff_has_nothing_of_it(visit: Visit, driver: Driver) -> None:
    shop, staff = await driver.given_a_workspace(), await visit()
    await staff.sign_in(STAFF, at=services(shop))

    answer = await staff.page.reload()

    assert answer is not None
    assert answer.status == 403
    await expect(staff.page.get_by_role("navigation").get_by_role("link", name="Services")).to_have_count(0)
    await look_at(staff, "services-staff")


async def test_who_is_in_two_workspaces_goes_from_one_to_the_other_without_a_mouse(
    visit: Visit, driver: Driver
) -> None:
    acme, beta = [await driver.given_a_workspace(name=name) for name in ("Acme", "Beta")]
    both = {shop.workspace_id: "owner" for shop in (acme, beta)}
    token = await driver.token(sub=acme.owner_id, email=acme.owner_email, workspaces=both)
    owner = await visit()
    await owner.context.add_cookies([{"name": "quittance_session", "value": token, "url": driver.stack.pages_url}])
    await owner.open(services(acme))
    switcher = owner.page.get_by_role("navigation", name="Workspace")
    await expect(switcher).to_contain_text("Workspace Acme")

    await Keys(owner.page).press(switcher.get_by_text("Your other workspaces"))
    await look_at(owner, "services-other-workspaces")
    await Keys(owner.page).press(switcher.get_by_role("link", name="Beta"))

    await owner.page.wait_for_url(f"{driver.stack.pages_url}{services(beta)}")
    await expect(switcher).to_contain_text("Workspace Beta")
