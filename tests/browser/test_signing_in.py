"""Signing in through the issuer's page, and out again."""

import re

import pytest
from playwright.async_api import expect

from sandbox.driver import Driver
from tests.browser.conftest import Visit
from tests.browser.looks import look_at
from tests.browser.people import STAFF, member_of, services
from tests.browser.staff import PURCHASES, given_staff


async def test_whoever_asks_for_a_page_is_signed_in_and_brought_to_it(visit: Visit, driver: Driver) -> None:
    shop, owner = await driver.given_a_workspace(), await visit()

    await owner.open(services(shop))
    await expect(owner.page).to_have_url(re.compile("/authorize"))
    await look_at(owner, "issuer")
    await owner.pick(member_of(shop))

    await owner.page.wait_for_url(f"{driver.stack.pages_url}{services(shop)}")
    (session,) = [one for one in await owner.context.cookies() if one["name"] == "quittance_session"]
    assert (session["httpOnly"], session["sameSite"], session["path"]) == (True, "Lax", "/")


async def test_one_signs_in_without_a_mouse(visit: Visit, driver: Driver) -> None:
    shop, owner = await driver.given_a_workspace(), await visit()
    await owner.open(services(shop))

    await owner.pick_by_keys(member_of(shop))

    await owner.page.wait_for_url(f"{driver.stack.pages_url}{services(shop)}")
    await expect(owner.page.get_by_text(shop.owner_email)).to_be_visible()


async def test_one_signs_in_and_out_without_javascript(visit: Visit, driver: Driver) -> None:
    shop, owner = await driver.given_a_workspace(), await visit(javascript=False)
    await owner.sign_in(member_of(shop), at=services(shop))

    await owner.page.get_by_role("button", name="Sign out").click()

    await expect(owner.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    assert [one for one in await owner.context.cookies() if one["name"] == "quittance_session"] == []


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_search_after_the_session_ended_leads_through_the_sign_in_to_what_was_looked_for(
    visit: Visit, driver: Driver, javascript: bool
) -> None:
    staff = await given_staff(visit, PURCHASES, javascript=javascript)
    shown = await staff.page.reload()
    await staff.page.get_by_label("Workspace").fill("ws-nobody")
    await staff.context.clear_cookies()

    await staff.page.get_by_role("button", name="Search").click()
    await expect(staff.page).to_have_url(re.compile("/authorize"))
    await staff.pick(STAFF)

    await expect(staff.page).to_have_url(re.compile(r"/admin/purchases\?workspace=ws-nobody&"))
    await expect(staff.page.get_by_label("Workspace")).to_have_value("ws-nobody")
    assert shown
    assert driver.stack.issuer_url not in shown.headers["content-security-policy"]


async def test_who_signs_out_reads_so_and_is_asked_again_who_it_is(visit: Visit, driver: Driver) -> None:
    shop, owner = await driver.given_a_workspace(), await visit()
    await owner.sign_in(member_of(shop), at=services(shop))

    await owner.page.get_by_role("button", name="Sign out").click()

    await expect(owner.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    await look_at(owner, "signed-out")
    await owner.open(services(shop))
    await expect(owner.page).to_have_url(re.compile("/authorize"))


async def test_a_sign_in_that_was_begun_elsewhere_is_explained(visit: Visit, driver: Driver) -> None:
    somebody = await visit()

    await somebody.open("/session/callback?code=stolen&state=unknown")

    await expect(somebody.page.get_by_role("heading", level=1)).to_have_text("You are not signed in")
    await look_at(somebody, "not-signed-in")


async def test_the_issuer_sends_nobody_to_a_foreign_address(visit: Visit, driver: Driver) -> None:
    somebody = await visit()

    await somebody.page.goto(
        f"{driver.stack.issuer_url}/authorize?client_id=quittance-pages&redirect_uri=http://evil.test"
    )

    await expect(somebody.page.get_by_role("heading", level=1)).to_have_text("Nobody was signed in")
    await look_at(somebody, "issuer-refusal")


async def test_a_page_that_does_not_exist_is_a_page(visit: Visit, driver: Driver) -> None:
    somebody = await visit()

    await somebody.open("/nowhere")

    await expect(somebody.page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    await look_at(somebody, "no-such-page")
