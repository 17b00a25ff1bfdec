"""What platform staff do all day: keep the add-ons, find a purchase, move it on, send money back."""

import uuid

from playwright.async_api import expect

from sandbox.driver import Driver
from tests.browser.conftest import Visit
from tests.browser.keys import Keys
from tests.browser.looks import HEIGHT, NARROW, look_at
from tests.browser.staff import ADDONS, PURCHASES, given_staff


async def test_an_addon_is_made_with_its_bullets_in_order_and_goes_on_sale(visit: Visit, driver: Driver) -> None:
    staff, name = await given_staff(visit, ADDONS), f"Migration {uuid.uuid4().hex[:6]}"
    page = staff.page
    await page.get_by_role("link", name="New add-on").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Description").fill("We move your data.\nYou keep working.")
    await page.get_by_label("Price").fill("1299.00")
    for number, bullet in enumerate(("Last", "First"), start=1):
        await page.get_by_label(f"Bullet {number}", exact=True).fill(bullet)
        await page.get_by_role("button", name="Add a bullet").click()
    await page.get_by_role("button", name="Move bullet 2 up").click()
    await expect(page.get_by_label("Bullet 1", exact=True)).to_be_focused()
    await look_at(staff, "addon-new")
    await page.get_by_role("button", name="Create the add-on").click()

    await expect(page.get_by_role("status")).to_have_text("The add-on was created.")
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await page.get_by_role("link", name="Back to the list").click()
    row = page.get_by_role("listitem").filter(has_text=name)
    await expect(row).to_contain_text("Not on sale")
    await row.get_by_role("button", name=f"Put on sale {name}").click()
    await expect(row.get_by_role("button", name=f"Take off sale {name}")).to_be_visible()
    await look_at(staff, "addons")

    await staff.open("/pricing")
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))
    assert await card.get_by_role("listitem").all_inner_texts() == ["First", "Last"]
    await expect(card).to_contain_text("€1,299.00")


async def test_on_a_phone_the_header_is_two_lines_and_an_addons_button_stands_beside_its_price(
    visit: Visit, driver: Driver
) -> None:
    addon = await driver.given_an_addon()
    staff = await given_staff(visit, f"{ADDONS}?state=on")
    await staff.page.set_viewport_size({"width": NARROW, "height": HEIGHT})

    row = staff.page.get_by_role("listitem").filter(has_text=addon["slug"])
    header = await staff.page.get_by_role("banner").bounding_box()
    price, button = await row.get_by_text("€").bounding_box(), await row.get_by_role("button").bounding_box()

    assert header
    assert header["height"] < 110
    assert price
    assert button
    assert button["y"] < price["y"] + price["height"]


async def test_what_is_wrong_with_a_price_is_said_at_it_without_javascript(visit: Visit, driver: Driver) -> None:
    staff = await given_staff(visit, f"{ADDONS}/new", javascript=False)
    await staff.page.get_by_label("Name").fill("Typed")
    await staff.page.get_by_label("Price").fill("12,00")

    await staff.page.get_by_label("Price").press("Enter")

    await expect(staff.page.get_by_label("Price")).to_have_attribute("aria-invalid", "true")
    await expect(staff.page.locator("#price-error")).to_have_text("an amount is written like 499 or 499.00")
    await expect(staff.page.get_by_label("Name")).to_have_value("Typed")


async def test_who_saves_second_sees_both_and_decides(visit: Visit, driver: Driver) -> None:
    addon = await driver.given_an_addon()
    staff = await given_staff(visit, f"{ADDONS}/{addon['id']}")
    await staff.page.get_by_label("Name").fill("Mine")
    await driver.change_addon(addon, name="Theirs", price="1.00", bullets=["a bullet"])

    await staff.page.get_by_role("button", name="Save", exact=True).click()

    await expect(staff.page.get_by_role("alert")).to_contain_text("This add-on was saved while you were editing it")
    await expect(staff.page.get_by_role("row", name="Name")).to_contain_text("Theirs")
    await expect(staff.page.get_by_label("Name")).to_have_value("Mine")
    await look_at(staff, "addon-conflict")
    await staff.page.get_by_role("button", name="Save what I typed").click()
    await expect(staff.page.get_by_role("status")).to_have_text("The add-on was saved.")
    await expect(staff.page.get_by_role("heading", level=1)).to_have_text("Mine")
    await look_at(staff, "addon")


async def test_a_button_of_an_old_list_changes_nothing_and_leads_to_what_is_there_now(
    visit: Visit, driver: Driver
) -> None:
    addon = await driver.given_an_addon()
    staff = await given_staff(visit, f"{ADDONS}?state=on")
    await driver.change_addon(addon, price="1.00")

    await staff.page.get_by_role("button", name=f"Take off sale {addon['name']}").click()

    await expect(staff.page.get_by_role("alert")).to_contain_text("Nothing was changed.")
    await look_at(staff, "addon-saved-meanwhile")
    await staff.page.get_by_role("link", name=f"Open {addon['name']}").click()
    await expect(staff.page.get_by_label("Price")).to_have_value("1.00")


async def test_an_addon_is_deleted_by_keys_after_a_question(visit: Visit, driver: Driver) -> None:
    addon = await driver.given_an_addon()
    staff = await given_staff(visit, f"{ADDONS}/{addon['id']}")
    keys = Keys(staff.page)

    await keys.press(staff.page.get_by_role("link", name="Delete …"))
    await expect(staff.page.get_by_role("heading", level=1)).to_have_text(f"Delete {addon['name']}?")
    await look_at(staff, "addon-delete")
    await keys.press(staff.page.get_by_role("button", name="Delete"))

    await expect(staff.page.get_by_role("status")).to_contain_text("The add-on was deleted.")
    await staff.open("/pricing")
    await expect(staff.page.locator(f"#{addon['slug']}")).to_have_count(0)


async def test_a_purchase_is_found_by_stripes_id_and_refunded_in_part(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    await driver.settle()
    known = await driver.record(purchase["id"])
    staff = await given_staff(visit, PURCHASES)
    page = staff.page

    await page.get_by_label("Any id of Stripe's").fill(known["stripe_charge_id"])
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    await look_at(staff, "purchases")
    await page.get_by_role("link", name=addon["name"]).click()
    await look_at(staff, "purchase")
    await page.get_by_role("link", name="Refund …").click()
    await page.get_by_label("A part").check()
    await page.get_by_label("Amount of the part").fill("100")
    await page.get_by_label("Reason").fill("Half of it was done")
    await look_at(staff, "refund")
    await page.get_by_role("button", name="Look at it once more").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Send €100.00 back?")
    await look_at(staff, "refund-review")
    await page.get_by_role("button", name="Send €100.00 back").dblclick()

    await expect(page.get_by_role("status")).to_contain_text("The refund is asked for.")
    await driver.settle()
    await page.reload()
    await expect(page.get_by_role("main")).to_contain_text("Half of it was done")
    assert (await driver.record(purchase["id"]))["refunded_cents"] == 10_000
    await expect(page.get_by_text("Succeeded", exact=True)).to_have_count(1)
    await look_at(staff, "purchase-refunded")


async def test_all_that_was_paid_is_sent_back_with_the_form(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    await driver.settle()
    staff = await given_staff(visit, f"{PURCHASES}/{purchase['id']}")
    page = staff.page

    await page.get_by_role("link", name="Refund …").click()
    await expect(page.get_by_label("All that remains: €499.00")).to_be_checked()
    await page.get_by_label("Amount of the part").fill("499")
    await page.get_by_label("Reason").fill("It was not what they needed")
    await page.get_by_role("button", name="Look at it once more").click()
    await expect(page.locator("#amount-error")).to_have_text("Choose “A part” above, or leave this empty.")
    await page.get_by_label("Amount of the part").fill("")
    await page.get_by_role("button", name="Look at it once more").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Send €499.00 back?")
    await expect(page.get_by_role("main")).to_contain_text("Nothing is left then")
    await page.get_by_role("button", name="Send €499.00 back").click()
    await expect(page.get_by_role("status")).to_contain_text("The refund is asked for.")
    await driver.settle()

    await page.reload()
    await expect(page.locator(".facts .badge")).to_have_text("Refunded")
    await expect(page.get_by_role("link", name="Refund …")).to_have_count(0)
    end = await driver.record(purchase["id"])
    assert (end["status"], end["refunded_cents"]) == ("refunded", 49_900)


async def test_a_purchase_is_delivered_by_keys(visit: Visit, driver: Driver) -> None:
    shop, addon = await driver.given_a_workspace(), await driver.given_an_addon()
    purchase = (await driver.buy(shop, addon)).json()
    staff = await given_staff(visit, f"{PURCHASES}/{purchase['id']}", width=360)
    keys = Keys(staff.page)

    await keys.press(staff.page.get_by_role("link", name="Mark as delivered …"))
    await keys.type_into(staff.page.get_by_label("Reason"), "Done with Olga on Monday")
    await look_at(staff, "deliver")
    await keys.press(staff.page.get_by_role("button", name="Mark as delivered"))

    await expect(staff.page.get_by_role("status")).to_have_text("The purchase is marked as delivered.")
    await expect(staff.page.get_by_text("Done with Olga on Monday")).to_be_visible()


async def test_one_purchase_is_cancelled_with_its_money_and_another_re_opened(visit: Visit, driver: Driver) -> None:
    shop, addons = await driver.given_a_workspace(), [await driver.given_an_addon() for _ in range(2)]
    unwanted, delivered = [(await driver.buy(shop, addon)).json()["id"] for addon in addons]
    await driver.move(delivered, "deliver")
    staff = await given_staff(visit, f"{PURCHASES}/{unwanted}")
    page = staff.page

    await page.get_by_role("link", name="Cancel …").click()
    await page.get_by_role("button", name="Cancel the purchase").click()
    await expect(page.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#reason-error")).to_have_text("Please fill this in.")
    await staff.open(f"{PURCHASES}/{unwanted}/cancel")
    await page.get_by_label("Reason").fill("Bought by mistake")
    await page.get_by_label("Send €499.00 back as well").check()
    await look_at(staff, "staff-cancel")
    await page.get_by_role("button", name="Cancel the purchase").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await staff.open(f"{PURCHASES}/{delivered}")
    await page.get_by_role("link", name="Re-open …").click()
    await page.get_by_label("Reason").fill("To be done anew")
    await look_at(staff, "staff-reopen")
    await page.get_by_role("button", name="Re-open it").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await driver.settle()

    ends = [await driver.record(purchase) for purchase in (unwanted, delivered)]
    assert [(end["status"], end["refunded_cents"]) for end in ends] == [("cancelled", 49_900), ("cancelled", 0)]
