"""From the billing page to Stripe's portal and back: as the owner asked for it, and what is said when it cannot be."""

import re

import pytest

from sandbox.stripe.control import Json
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import Subscriber, given_a_subscriber
from tests.integration.purchases.test_portal import given_a_portal
from tests.integration.purchases_pages.conftest import Site, Visitor
from tests.integration.purchases_pages.owners import polled, stripe_link
from tests.integration.purchases_pages.reading import Page

MANAGE = "Manage subscription"
AT_ONCE = "To the portal, to end it at once"


async def a_subscriber(harness: Harness, site: Site) -> tuple[Subscriber, Visitor, str]:
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await subscriber.hear()
    return subscriber, site.owner(subscriber.workspace_id), f"/app/{subscriber.workspace_id}/settings/billing"


async def portals(harness: Harness) -> list[Json]:
    return (await harness.control.objects(kind="billing_portal.session")).get("billing_portal.session", [])


@pytest.mark.parametrize(("button", "mode"), [(MANAGE, "at_period_end"), (AT_ONCE, "immediately")])
async def test_the_portal_opens_as_it_was_asked_for_and_leads_back(
    harness: Harness, site: Site, button: str, mode: str
) -> None:
    await given_a_portal(harness)
    _, owner, here = await a_subscriber(harness, site)

    leaving = await owner.submit((await owner.open(here)).form(button))

    (session,) = await portals(harness)
    configurations = (await harness.control.objects(kind="billing_portal.configuration"))[
        "billing_portal.configuration"
    ]
    (opened,) = [one for one in configurations if one["id"] == session["configuration"]]
    assert stripe_link(leaving) == session["url"]
    assert opened["features"]["subscription_cancel"]["mode"] == mode
    assert session["return_url"] == f"https://pages.example{here}?portal=back"


async def test_what_was_done_in_the_portal_shows_when_stripes_word_comes(harness: Harness, site: Site) -> None:
    await given_a_portal(harness)
    subscriber, owner, here = await a_subscriber(harness, site)
    await owner.submit((await owner.open(here)).form(MANAGE))
    await harness.control.portal_cancel((await portals(harness))[0]["id"])

    back = await owner.open(f"{here}?portal=back")
    early = await owner.http.get(polled(back))
    await subscriber.hear()
    live = Page(await owner.http.get(polled(back)))

    assert "You are back from Stripe What you changed there shows here within some seconds." in back.text
    assert ("Builder Active" in back.text, early.status_code) == (True, 204)
    assert "Builder Ends soon" in live.text


async def test_when_nothing_changes_any_more_the_news_goes_and_the_plan_is_left_alone(
    harness: Harness, site: Site
) -> None:
    _, owner, here = await a_subscriber(harness, site)
    back = await owner.open(f"{here}?portal=back")

    live = Page(await owner.http.get(re.sub(r"since=\d+", "since=1000000000", polled(back))))

    assert (live.status, live.text, "billing" in live.elements) == (200, "", False)


async def test_a_portal_that_is_not_set_up_says_who_helps(harness: Harness, site: Site) -> None:
    _, owner, here = await a_subscriber(harness, site)

    answer = await owner.submit((await owner.open(here)).form(MANAGE))

    assert answer.status == 503
    assert "Our team has to set it up first. Nothing was changed, and nothing was charged." in answer.text
    assert MANAGE in [button for form in answer.forms for button in form.buttons]


async def test_while_stripe_is_away_nothing_was_charged_and_the_page_stands(harness: Harness, site: Site) -> None:
    await given_a_portal(harness)
    _, owner, here = await a_subscriber(harness, site)
    await harness.control.fault("close_before", operation="billing_portal.*")

    answer = await owner.submit((await owner.open(here)).form(MANAGE))

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "Our payment provider does not answer Nothing was charged." in answer.text
    assert "Builder Active" in answer.text


async def test_who_asks_for_the_address_of_a_form_comes_to_the_page(harness: Harness, site: Site) -> None:
    _, owner, here = await a_subscriber(harness, site)

    pages = [await owner.open(f"{here}/{form}") for form in ("portal", "upgrade")]

    assert all("Builder Active" in page.text for page in pages)
