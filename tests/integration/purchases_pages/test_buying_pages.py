"""Buying on the page: whatever one presses, and how often, there is one charge and the page says the truth."""

import asyncio

import httpx
import pytest

from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.shops import BUY, DECLINED, a_shop


async def test_one_buys_with_the_saved_card(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)

    page = await shop.buy()

    assert "You have bought Professional AI Setup €499.00 was charged." in page.text
    assert "Your workspace has bought it" in page.text
    assert (page.disabled, await shop.captured()) == ([BUY], PRICE)


async def test_a_reload_after_buying_sends_nothing(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)

    answer = await shop.owner.send(await shop.form())
    pages = [await shop.owner.open(answer.headers["location"]) for _ in range(2)]

    assert answer.status_code == 303
    assert all("You have bought" in page.text for page in pages)
    assert (await shop.captured(), await shop.purchases()) == (PRICE, ["paid"])


async def test_a_double_click_is_one_order(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    form = await shop.form()

    answers = await asyncio.gather(*(shop.owner.send(form) for _ in range(3)))

    assert {303} == {answer.status_code for answer in answers}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert (await shop.captured(), await shop.purchases()) == (PRICE, ["paid"])


async def test_the_back_button_and_once_more_is_the_same_order(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    form = await shop.form()

    first, again = await shop.owner.submit(form), await shop.owner.submit(form)

    assert "You have bought" in first.text
    assert "You have bought" in again.text
    assert (await shop.captured(), await shop.purchases()) == (PRICE, ["paid"])


async def test_of_two_tabs_one_buys_and_the_other_is_told(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    one, other = await shop.form(), await shop.form()

    await shop.owner.submit(one)
    answer = await shop.owner.submit(other)

    assert answer.status == 409
    assert "Your workspace has bought this already, or is just buying it It was not charged again." in answer.text
    assert (await shop.captured(), await shop.purchases()) == (PRICE, ["paid"])


async def test_a_price_that_has_changed_is_shown_before_it_is_charged(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    form = await shop.form()
    await harness.given_an_addon(price_cents=59_900, sequence=2)

    answer = await shop.owner.submit(form)
    nothing_yet = await shop.captured()
    page = await shop.owner.submit(answer.form(BUY))

    assert (answer.status, nothing_yet) == (409, 0)
    assert "The price has changed since you opened this page Nothing was charged." in answer.text
    assert "€599.00" in answer.text
    assert "€599.00 was charged" in page.text


async def test_without_a_card_one_saves_one_comes_back_and_buys(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site, card=None)

    answer = await shop.buy()
    session_id = answer.links["Save a card"].rpartition("/")[2].partition("#")[0]
    completed = await harness.control.complete_session(session_id)
    await shop.hear()
    back = await shop.owner.open(httpx.URL(completed["success_url"]).raw_path.decode())
    page = await shop.owner.submit(back.form(BUY))

    assert (answer.status, "Your workspace has no saved card Nothing was charged." in answer.text) == (409, True)
    assert "You are back from Stripe" in back.text
    assert back.links["Buy Professional AI Setup"] == "#service-setup"
    assert "You have bought" in page.text


async def test_another_card_can_be_saved_at_any_time(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)

    answer = await shop.owner.send((await shop.page()).form("Save another card"))

    assert answer.status_code == 303
    assert "/c/pay/cs_" in answer.headers["location"]


async def test_the_address_of_a_form_opened_again_is_the_page(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    form = (await shop.page()).form("Save another card")
    await harness.control.fault("close_before", operation="customers.retrieve", times=None)

    answer = await shop.owner.submit(form)
    await harness.control.reset_faults()
    pages = [await shop.owner.open(address) for address in (form.action, shop.here)]

    assert (answer.status, "Our payment provider does not answer" in answer.text) == (503, True)
    assert [page.form(BUY).fields["addon"] for page in pages] == ["setup"] * 2


async def test_a_declined_card_costs_nothing_and_another_one_can_pay(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site, DECLINED)

    answer = await shop.buy()
    await harness.settle_everything()
    (row,) = await harness.rows("select stripe_customer_id from workspaces")
    await harness.give_card(row["stripe_customer_id"], "pm_card_visa")
    page = await shop.buy()

    assert "The card was declined" in answer.text
    assert "Nothing was charged for Professional AI Setup." in answer.text
    assert "You have bought" in page.text
    assert (await shop.captured(), await shop.purchases()) == (PRICE, ["failed", "paid"])


async def test_too_many_declines_close_the_shop_for_a_while(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site, DECLINED)
    for _ in range(6):
        last = await shop.form()
        await shop.owner.submit(last)
        await harness.settle_everything()

    closed = await shop.page()
    answer = await shop.owner.submit(last, key="0" * 32)

    assert (answer.status, int(answer.headers["retry-after"]) > 60) == (429, True)
    assert "Too many cards were declined" in answer.text
    assert closed.disabled == [BUY]
    assert "It can be bought again in some minutes." in closed.text


async def test_when_stripe_is_down_nothing_is_charged_and_the_page_says_so(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    form = await shop.form()
    await harness.control.fault("close_before", operation="customers.retrieve", times=None)

    answer = await shop.owner.submit(form)
    await harness.control.reset_faults()
    page = await shop.owner.submit(form)

    assert answer.status == 503
    assert "Our payment provider does not answer Nothing was charged." in answer.text
    assert "You have bought" in page.text
    assert await shop.purchases() == ["paid"]


async def test_an_answer_that_never_came_stays_pending_and_is_charged_once(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    form = await shop.form()
    await harness.control.fault("close_after", operation="invoices.pay", times=1)

    answer = await shop.owner.submit(form)
    again = await shop.owner.submit(form)
    await shop.hear()
    page = await shop.owner.submit(form)

    assert "We wait for the payment of Professional AI Setup to be confirmed" in answer.text
    assert "We wait for the payment" in again.text
    assert "You have bought" in page.text
    assert (await shop.captured(), await shop.purchases()) == (PRICE, ["paid"])


async def test_a_session_that_ends_before_the_button_is_pressed_loses_nothing(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    form = await shop.form()
    ended = site.visitor({"sub": "olga", "workspaces": {shop.workspace: "owner"}, "expires_in": -60})

    answer = await ended.submit(form)
    nothing_yet = await shop.purchases()
    page = await shop.owner.submit(answer.form("Send it once more"))

    assert (answer.status, nothing_yet) == (401, [])
    assert "nothing that you typed is lost" in answer.text
    assert "You have bought" in page.text


async def test_another_sites_form_buys_nothing(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    form = await shop.form()

    answer = await shop.owner.http.post(form.action, data=form.fields, headers={"Origin": "https://evil.example"})

    assert (answer.status_code, await shop.purchases()) == (403, [])


@pytest.mark.parametrize(
    "typed", [{"price_cents": "-1"}, {"currency": "<b>"}, {"key": ""}, {"more": "x"}, {"addon": "\x00"}]
)
async def test_a_form_that_was_tampered_with_buys_nothing(harness: Harness, site: Site, typed: dict[str, str]) -> None:
    shop = await a_shop(harness, site)

    page = await shop.owner.submit(await shop.form(), **typed)

    assert (page.status, await shop.purchases()) == (422, [])
    assert "Nothing was done." in page.text
