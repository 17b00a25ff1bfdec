"""The billing page in every state of a plan: what everyone sees of it, and what only its owner can do."""

from datetime import timedelta
from typing import Final

import pytest

from contracts import PlanPrice
from tests.integration.permissions.matrix import OWN
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import BUILDER, FREE, Subscriber, given_a_subscriber, plan
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.plan_page import ENDS, MANAGE, UPGRADE, buttons, here, on_free, seen, subscribed

MARKUP: Final = "<b onclick=x>Acme</b>"


async def test_on_free_the_owner_is_offered_the_plan_by_month_and_year(harness: Harness, site: Site) -> None:
    await harness.given_an_addon()
    workspace = await on_free(harness)

    page = await seen(site, workspace)

    assert page.status == 200
    assert "Free No subscription Nothing is charged." in page.text
    assert "Upgrade to Builder" in page.text
    assert "Monthly: €9.00 Yearly: €89.00 (saves €19.00 a year)" in page.text
    assert "Professional AI Setup: €499.00 once" in page.text
    assert buttons(page)[-1] == UPGRADE
    assert "help@pages.example" in page.text


async def test_each_currency_is_offered_by_itself_with_its_own_services(harness: Harness, site: Site) -> None:
    workspace = await on_free(harness)
    await harness.given_an_addon()
    prices = [
        PlanPrice(interval=interval, currency=currency, price_cents=cents, stripe_price_id=f"price_{currency}{cents}")
        for currency, interval, cents in (("USD", "year", 9_900), ("USD", "month", 1_000), ("EUR", "month", 900))
    ]
    plans = plan("builder", dict(BUILDER), prices=tuple(prices)).model_copy(update={"sequence": 2})
    await harness.deliver(plans)
    owner = site.owner(workspace, **{"Accept-Language": "de"})

    dollars = await owner.open(here(workspace))
    euros = await owner.open(dollars.links["EUR"])
    nonsense = await owner.open(f"{here(workspace)}?currency=XXX")

    assert "Monthly: 10,00 $ Yearly: 99,00 $ (saves 21,00 $ a year)" in dollars.text.replace("\xa0", " ")
    assert ("Professional AI Setup" in dollars.text, "Professional AI Setup" in euros.text) == (False, True)
    assert "Monthly: 9,00 €" in euros.text
    assert "10,00" in nonsense.text


async def test_a_plan_without_a_price_at_stripe_is_not_offered(harness: Harness, site: Site) -> None:
    no_price = PlanPrice(interval="month", currency="EUR", price_cents=900, stripe_price_id=None)
    await harness.deliver(plan("free", dict(FREE)), plan("builder", dict(BUILDER), prices=(no_price,)))

    page = await seen(site, await harness.given_a_workspace(None))

    assert "Upgrading is not possible yet" in page.text
    assert UPGRADE not in buttons(page)


@pytest.mark.parametrize(
    ("status", "badge", "sentence"),
    [
        ("active", "Active", "It renews by itself. Billed Monthly, €9.00 Renews on March 4, 2031 (UTC)"),
        ("trialing", "Trial", "Trial ends on March 4, 2031"),
        ("past_due", "Payment overdue", "Your last renewal could not be charged Your workspace keeps Builder for now."),
        ("unpaid", "Unpaid", "Your renewal is not paid Your workspace keeps Builder for now."),
        ("some_new_word", "Some new word", "Billed Monthly"),
    ],
)
async def test_while_a_subscription_runs_its_state_is_said_in_words_and_the_portal_is_near(
    harness: Harness, site: Site, status: str, badge: str, sentence: str
) -> None:
    subscriber = await subscribed(harness, status=status)

    page = await seen(site, subscriber.workspace_id)

    assert f"Builder {badge}" in page.text
    assert sentence in page.text
    assert MANAGE in buttons(page)
    assert UPGRADE not in buttons(page)
    assert ("Change the card" in buttons(page)) == (status == "past_due")
    assert ("Pay the open invoice" in buttons(page)) == (status == "unpaid")


async def test_one_that_was_never_paid_is_named_and_another_can_be_bought(harness: Harness, site: Site) -> None:
    subscriber = await subscribed(harness, status="incomplete")
    await harness.execute("update workspaces set plan = 'free'")

    page = await seen(site, subscriber.workspace_id)

    assert "Not paid yet The first payment has not come through. Nothing was charged." in page.text
    assert UPGRADE in buttons(page)


async def test_one_that_is_paused_is_on_free_and_cannot_be_bought_again(harness: Harness, site: Site) -> None:
    subscriber = await subscribed(harness, status="paused")
    await harness.execute("update workspaces set plan = 'free'")

    page = await seen(site, subscriber.workspace_id)

    assert "Free Paused Nothing is charged while it is paused. Write to us to have it go on." in page.text
    assert (MANAGE in buttons(page), UPGRADE in buttons(page)) == (True, False)


async def test_after_its_end_the_plan_can_be_bought_again_in_its_currency(harness: Harness, site: Site) -> None:
    subscriber = await subscribed(harness, status="canceled", ended_at=ENDS - timedelta(days=400))
    await harness.execute("update workspaces set plan = 'free'")

    page = await seen(site, subscriber.workspace_id)

    assert "Free Ended" in page.text
    assert "Ended on January 28, 2030" in page.text
    assert buttons(page) == ["Invoices and cards", UPGRADE]


@pytest.mark.parametrize(
    ("caller", "sees", "presses"),
    [
        ("owner", [], [MANAGE, "To the portal, to end it at once"]),
        *(
            (caller, ["Only the owner of this workspace, olga@acme.example, can manage the subscription."], [])
            for caller in ("claimant", "admin", "editor", "viewer", "staff", "member")
        ),
    ],
)
async def test_everyone_sees_plan_status_and_caps_and_only_the_owner_has_buttons(
    harness: Harness, site: Site, caller: str, sees: list[str], presses: list[str]
) -> None:
    subscriber = await given_a_subscriber(harness)
    await harness.execute("update workspaces set id = :own where id = :id", own=OWN, id=subscriber.workspace_id)
    await Subscriber(
        harness=harness, workspace_id=OWN, customer_id=subscriber.customer_id, plans=subscriber.plans
    ).subscribe()
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()

    page = await seen(site, OWN, caller)

    assert "Builder Active" in page.text
    assert "Seats 0 of 10" in page.text
    assert all(sentence in page.text for sentence in sees)
    assert buttons(page) == presses


@pytest.mark.parametrize("caller", ["claimant", "admin", "editor", "viewer", "staff", "member"])
async def test_on_free_the_others_are_told_who_can_upgrade(harness: Harness, site: Site, caller: str) -> None:
    await on_free(harness, OWN)

    page = await seen(site, OWN, caller)

    assert "Only the owner of this workspace, olga@acme.example, can upgrade." in page.text
    assert buttons(page) == []


async def test_caps_and_usage_are_bars_with_numbers_and_words(harness: Harness, site: Site) -> None:
    workspace = await on_free(harness)
    for resource, count in (("projects", 3), ("seats", 1), ("byok_keys", 2)):
        await harness.execute(
            "insert into workspace_resources (workspace_id, resource, resource_id) "
            "select :ws, :resource, n::text from generate_series(1, :count) n",
            ws=workspace,
            resource=resource,
            count=count,
        )

    page = await seen(site, workspace)

    assert (
        "Projects 3 of 1 Over the cap: nothing is deleted, but no more can be added until it is below the cap."
        in page.text
    )
    assert "Seats 1 of 1 The cap is reached" in page.text
    assert "Own API keys 2 of 0 Frozen: this plan has none. What is there is kept" in page.text


async def test_what_has_no_cap_says_so_and_what_the_plan_lacks_too(harness: Harness, site: Site) -> None:
    subscriber = await subscribed(harness)

    builder, free = (
        await seen(site, subscriber.workspace_id),
        await seen(site, await harness.given_a_workspace(None, "ws-free")),
    )

    assert "Projects 0, no limit" in builder.text
    assert "Own API keys not in this plan" in free.text


async def test_markup_in_every_text_comes_out_as_text(harness: Harness, site: Site) -> None:
    workspace = await on_free(harness)
    await harness.given_an_addon()
    await harness.execute("update workspaces set name = :text, owner_email = :text", text=MARKUP)
    await harness.execute("update addons set name = :text", text=MARKUP)
    await harness.execute("update plans set name = :text", text=MARKUP)
    await harness.execute("insert into workspace_resources values (:ws, '<i>x', '1', false)", ws=workspace)

    owner = await seen(site, workspace)
    admin = await site.visitor({"sub": "adam", "workspaces": {workspace: "admin"}}).open(here(workspace))

    assert owner.text.count(MARKUP) == 5  # the workspace twice, its plan, the plan on offer, the service
    assert admin.text.count(MARKUP) == 4  # the workspace twice, its plan, the owner
    assert "<i>x 1 of 0" in owner.text


async def test_before_the_catalog_has_told_its_plans_the_page_says_so(harness: Harness, site: Site) -> None:
    page = await seen(site, await harness.given_a_workspace(None))

    assert page.status == 503
    assert "The plans are just being set up This passes by itself." in page.text
