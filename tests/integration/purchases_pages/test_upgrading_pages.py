"""Upgrading on the billing page: one Checkout, whatever one presses; and the truth while Stripe's word is awaited."""

import asyncio
import re
import time

import pytest

from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.owners import UPGRADE, Owner, an_owner, polled, stripe_link
from tests.integration.purchases_pages.reading import Page

CONFIRMING = "Stripe is confirming your payment"
WELCOME = "Thank you: your workspace has Builder Stripe has confirmed the payment."


async def test_the_owner_upgrades_by_the_month_with_a_service_and_is_told_without_a_reload(
    harness: Harness, site: Site
) -> None:
    owner = await an_owner(harness, site)

    leaving = await owner.upgrade("setup")
    (session,) = await owner.sessions()
    page = await owner.browser.open(await owner.pay())
    early = await owner.live(page)
    await owner.hear()
    live = Page(await owner.live(page))

    assert stripe_link(leaving) == session["url"]
    assert f"{CONFIRMING} This takes some seconds." in page.text
    assert ("Free Being confirmed" in page.text, UPGRADE in page.text, early.status_code) == (True, False, 204)
    assert WELCOME in live.text
    assert "Builder Active" in live.text
    assert live.elements["billing"]["hx-swap-oob"] == "true"
    assert "following" not in live.elements
    assert await owner.captured() == PRICE + 900


async def test_the_year_is_sold_at_its_price(harness: Harness, site: Site) -> None:
    owner = await an_owner(harness, site)

    await owner.upgrade(interval="year")
    back = await owner.pay()
    await owner.hear()
    page = await owner.browser.open(back)

    assert WELCOME in page.text
    assert "Billed Yearly, €89.00" in page.text
    assert await owner.captured() == 8_900


def waited(page: Page, seconds: int) -> str:
    """What the page asks for by itself, so many seconds after one came back."""
    return re.sub(r"since=\d+", f"since={int(time.time()) - seconds}", polled(page))


async def test_a_word_of_stripe_that_is_late_is_said_to_be_and_found_without_the_address_too(
    harness: Harness, site: Site
) -> None:
    owner = await an_owner(harness, site)
    await owner.upgrade()
    page = await owner.browser.open(await owner.pay())

    late = Page(await owner.browser.http.get(waited(page, 70)))
    again = await owner.browser.http.get(polled(late))
    later = Page(await owner.browser.http.get(waited(late, 200)))
    stopped = Page(await owner.browser.http.get(waited(later, 700)))
    # A look found the Checkout complete, and Stripe has not answered yet what its subscription is.
    await harness.execute("update checkout_sessions set state = 'complete'")
    anew = await owner.page()

    assert "Stripe is still confirming your payment This takes longer than usual." in late.text
    assert "you are not charged twice" in late.text
    assert (late.elements["following"]["hx-trigger"], again.status_code) == ("every 5s", 204)
    assert later.elements["following"]["hx-trigger"] == "every 15s"
    assert ("following" in stopped.elements, "Look again" in stopped.links) == (False, True)
    assert "The page has stopped to look by itself." in stopped.text
    assert CONFIRMING in anew.text
    assert UPGRADE not in anew.text
    await owner.hear()
    assert WELCOME in Page(await owner.live(anew)).text


async def test_a_double_click_opens_one_checkout(harness: Harness, site: Site) -> None:
    owner = await an_owner(harness, site)
    page = await owner.page()
    await harness.control.fault("latency", operation="checkout.sessions.create", seconds=1)

    answers = await asyncio.gather(*(owner.choose(page, "setup") for _ in range(2)))

    (session,) = await owner.sessions()
    assert [stripe_link(Page(answer)) for answer in answers] == [session["url"]] * 2


async def test_back_and_once_more_leads_to_the_same_checkout_and_another_choice_to_another(
    harness: Harness, site: Site
) -> None:
    owner = await an_owner(harness, site)
    page = await owner.page()

    first, same = Page(await owner.choose(page)), Page(await owner.choose(page))
    other = Page(await owner.choose(page, "setup", interval="year"))

    assert stripe_link(first) == stripe_link(same) != stripe_link(other)
    assert [one["status"] for one in await owner.sessions()] == ["expired", "open"]


async def test_of_two_tabs_the_later_one_has_the_only_live_checkout(harness: Harness, site: Site) -> None:
    owner = await an_owner(harness, site)
    one, other = await owner.page(), await owner.page()

    await asyncio.gather(owner.choose(one), owner.choose(other, interval="year"))

    assert sorted(session["status"] for session in await owner.sessions()) == ["expired", "open"]
    page = await owner.page()
    assert "You have begun to upgrade Nothing is charged before you pay at Stripe." in page.text
    (live,) = [session["url"] for session in await owner.sessions() if session["status"] == "open"]
    assert page.links["Go on at Stripe"] == live


async def test_a_tab_that_sends_its_form_after_another_has_paid_is_told_and_charges_nothing(
    harness: Harness, site: Site
) -> None:
    owner = await an_owner(harness, site)
    old, page = await owner.page(), await owner.page()
    await owner.choose(page)
    await owner.pay()

    unheard = Page(await owner.choose(old))
    await owner.hear()
    heard = Page(await owner.choose(old))

    assert unheard.status == 409
    assert "The upgrade that you began before is paid It was not charged again." in unheard.text
    assert CONFIRMING in unheard.text
    assert heard.status == 409
    assert "Your workspace is subscribed already It was not charged again." in heard.text
    assert "Builder Active" in heard.text
    assert await owner.captured() == 900


async def test_the_same_form_after_it_was_paid_leads_to_the_plan(harness: Harness, site: Site) -> None:
    owner = await an_owner(harness, site)
    page = await owner.page()
    await owner.choose(page)
    await owner.pay()
    await owner.hear()

    answer = await owner.choose(page)
    again = await owner.browser.open(answer.headers["location"])

    assert answer.status_code == 303
    assert WELCOME in again.text


async def test_a_form_whose_checkout_has_expired_can_be_sent_once_more(harness: Harness, site: Site) -> None:
    owner = await an_owner(harness, site)
    await owner.choose(await owner.page(), "setup")
    (row,) = await harness.rows("select success_url from checkout_sessions")
    page = await owner.page()
    await owner.choose(page, "setup")
    first, second = await owner.sessions()
    await harness.client.v1.checkout.sessions.expire_async(second["id"])
    await owner.hear()

    answer = Page(await owner.choose(page, "setup"))
    back = await owner.browser.open(row["success_url"].removeprefix("https://pages.example"))
    onward = Page(await owner.choose(answer, "setup"))

    assert (answer.status, first["id"] != second["id"]) == (409, True)
    assert "That checkout is over Nothing was charged." in answer.text
    assert "That checkout has expired Nothing was charged." in back.text
    assert "/c/pay/" in stripe_link(onward)


async def test_what_was_chosen_is_still_chosen_when_stripe_is_away_and_the_same_form_then_works(
    harness: Harness, site: Site
) -> None:
    owner = await an_owner(harness, site)
    page = await owner.page()
    await harness.control.fault("close_after", operation="checkout.sessions.create")

    answer = await owner.choose(page, "setup", interval="year")
    onward = Page(await owner.choose(Page(answer), "setup", interval="year"))

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert "Our payment provider does not answer Nothing was charged. Try again in a moment." in Page(answer).text
    assert re.search(r'value="year" checked', answer.text)
    assert re.search(r'value="setup" checked', answer.text)
    (session,) = await owner.sessions()
    assert stripe_link(onward) == session["url"]


@pytest.mark.parametrize(
    ("addons", "changes", "problem"),
    [
        ([f"service-{number}" for number in range(21)], {}, "Choose at most 20 services"),
        ([], {"interval": "day"}, "Choose monthly or yearly."),
        (["gone"], {}, "One of these services does not exist any more Nothing was charged."),
        ([], {"currency": "SEK"}, "The plan is not sold like this Nothing was charged."),
        ([], {"key": "<b>"}, ""),
    ],
    ids=["too many", "interval", "service", "currency", "key"],
)
async def test_what_is_wrong_with_the_form_is_said_and_nothing_is_written(
    harness: Harness, site: Site, addons: list[str], changes: dict[str, str], problem: str
) -> None:
    owner = await an_owner(harness, site)

    answer = await owner.choose(await owner.page(), *addons, **changes)

    assert (answer.status_code >= 400) == bool(problem)
    assert problem in Page(answer).text
    assert len(await owner.sessions()) == (0 if problem else 1)


async def test_a_service_that_was_bought_meanwhile_is_left_out(harness: Harness, site: Site) -> None:
    owner = await an_owner(harness, site, card="pm_card_visa")
    page = await owner.page()
    await harness.buy(harness.order(owner.workspace))

    answer = Page(await owner.choose(page, "setup"))

    assert answer.status == 409
    assert "Your workspace has bought one of these services already Nothing was charged." in answer.text
    assert "Services along with it" not in answer.text


async def test_a_checkout_of_another_workspace_is_no_news(harness: Harness, site: Site) -> None:
    theirs = await an_owner(harness, site)
    await theirs.upgrade()
    back = await theirs.pay()
    mine = Owner(harness=harness, workspace="ws-mine", plans=theirs.plans, browser=site.owner("ws-mine"))
    await harness.given_a_workspace(None, "ws-mine")

    pages = [await mine.browser.open(back.replace(theirs.workspace, "ws-mine"))]
    pages.append(await mine.browser.open(f"{mine.here}?checkout=%20%27%22&currency=%27&portal=%3Cb%3E"))

    assert [page.status for page in pages] == [200, 200]
    assert all(CONFIRMING not in page.text for page in pages)
    assert all(UPGRADE in page.form(UPGRADE).buttons for page in pages)
    assert (await mine.browser.open(back)).status == 404


async def test_an_open_checkout_is_the_owners_to_go_on_with(harness: Harness, site: Site) -> None:
    owner = await an_owner(harness, site)
    await owner.upgrade()

    admin = await site.visitor({"sub": "adam", "workspaces": {owner.workspace: "admin"}}).open(owner.here)

    assert "You have begun" not in admin.text
    assert "/c/pay/" not in " ".join(admin.links.values())


@pytest.mark.parametrize(
    ("succeeds", "said", "plan", "sells"),
    [
        (True, WELCOME, "Builder Active", False),
        (False, "Your bank did not make the payment Nothing was charged.", "Free", True),
    ],
)
async def test_a_bank_that_takes_days_over_an_upgrade_is_spoken_of_as_such(
    harness: Harness, site: Site, succeeds: bool, said: str, plan: str, sells: bool
) -> None:
    owner = await an_owner(harness, site)
    await owner.upgrade()
    back = await owner.pay(card="sepaDebit")
    await owner.hear()

    waiting = await owner.browser.open(back)
    intents = (await harness.control.objects(kind="payment_intent"))["payment_intent"]
    await harness.control.settle_debit(intents[-1]["id"], succeeded=succeeds)
    await owner.hear()
    page = await owner.browser.open(back)

    assert "Your bank is at work on the payment A debit takes some days." in waiting.text
    assert ("Free At your bank" in waiting.text, UPGRADE in waiting.text) == (True, False)
    assert "following" not in waiting.elements
    assert (said in page.text, plan in page.text) == (True, True)
