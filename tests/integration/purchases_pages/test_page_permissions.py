"""SPEC §1 for pages: every page, asked for by everyone, in the own and in another workspace."""

from collections.abc import Mapping
from typing import Final

import pytest
from fastapi.routing import APIRoute

from tests.integration.permissions.matrix import (
    BUYER,
    CALLERS,
    MEMBER,
    OTHER,
    OWN,
    OWNER,
    REGISTERED_OWNERS,
    STAFF,
    Rule,
)
from tests.integration.permissions.pages import ask, each_page_of, word
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.reading import Page

# fmt: off
#                   owner claim admin edit view staff membr formr strng nobdy regis count
SIGNED_IN = Rule(  "ok    ok    ok    ok   ok   ok    ok    ok    ok    401   ok    ok ")
# fmt: on
PAGES: Final[Mapping[str, Rule]] = {
    "enter_admin": STAFF,
    "enter_app": SIGNED_IN,
    "enter_services": SIGNED_IN,
    "enter_billing": SIGNED_IN,
    "show_services": BUYER,
    "buy_service": BUYER,
    "save_another_card": BUYER,
    "back_to_services": BUYER,
    "go_to_the_bank": BUYER,
    "show_purchase_live": BUYER,
    "ask_to_cancel": BUYER,
    "cancel_service": BUYER,
    "show_billing": MEMBER,
    "show_billing_live": MEMBER,
    "back_to_the_page": MEMBER,
    "begin_upgrade": OWNER,
    "open_portal": OWNER,
    "show_purchases": STAFF,
    "show_purchase": STAFF,
    "ask_how_much": STAFF,
    "refund": STAFF,
    "ask_before_moving": STAFF,
    "move_purchase": STAFF,
    "show_parked": STAFF,
    "try_all_again": STAFF,
    "show_parked_item": STAFF,
    "try_again": STAFF,
    "back_to_the_item": STAFF,
    "ask_before_discarding": STAFF,
    "discard": STAFF,
    "ask_before_allocating": STAFF,
    "allocate": STAFF,
    "show_stripe_refusals": STAFF,
}
"""By the route's name."""


@each_page_of("purchases")
async def test_everyone_gets_what_the_table_says(harness: Harness, site: Site, route: APIRoute) -> None:
    await given_the_workspaces(harness)
    asked = [(caller, workspace) for caller in CALLERS for workspace in (OWN, OTHER)]

    answers = {
        (caller, workspace): word(await ask(site.visitor(CALLERS[caller]).http, route, workspace))
        for caller, workspace in asked
    }

    assert answers == {
        (caller, workspace): PAGES[route.name].expected(caller, workspace) for caller, workspace in asked
    }


@pytest.mark.parametrize(
    ("caller", "address", "led_to"),
    [
        ("staff", "/admin", "/admin/purchases"),
        ("nobody", "/admin", "/session/sign-in?next=%2Fadmin"),
        ("staff", "/app", "/admin/purchases"),
        ("owner", "/app", f"/app/{OWN}/billing/addons"),
        ("viewer", "/app", f"/app/{OWN}/settings/billing"),
        ("nobody", "/app", "/session/sign-in?next=%2Fapp"),
    ],
)
async def test_an_address_typed_from_memory_leads_to_where_one_begins(
    harness: Harness, site: Site, caller: str, address: str, led_to: str
) -> None:
    await given_the_workspaces(harness)

    answer = await site.visitor(CALLERS[caller]).http.get(address)

    assert (answer.status_code, answer.headers["location"]) == (303, led_to)


async def given_the_workspaces(harness: Harness) -> None:
    for workspace, owner in REGISTERED_OWNERS.items():
        await harness.given_a_workspace(None, workspace)
        await harness.execute("update workspaces set owner_user_id = :owner where id = :id", owner=owner, id=workspace)


@pytest.mark.parametrize(
    ("caller", "entries"),
    [
        ("owner", ["Services", "Plan and billing", "Prices"]),
        ("admin", ["Services", "Plan and billing", "Prices"]),
        ("editor", ["Plan and billing", "Prices"]),
        ("viewer", ["Plan and billing", "Prices"]),
        ("staff", ["Add-ons", "Purchases", "Set aside", "Prices"]),
        ("member", ["Add-ons", "Purchases", "Set aside", "Prices"]),
    ],
)
async def test_the_navigation_has_only_what_one_may_open(
    harness: Harness, site: Site, caller: str, entries: list[str]
) -> None:
    await given_the_workspaces(harness)

    answer = await site.visitor(CALLERS[caller]).http.get(f"/app/{OWN}/billing/addons")

    assert Page(answer).nav == entries


@pytest.mark.parametrize("page", ["billing/addons", "settings/billing"])
async def test_what_is_no_id_of_a_workspace_is_no_page(site: Site, page: str) -> None:
    answer = Page(await site.owner("acme").http.get(f"/app/%20/{page}"))

    assert (answer.status, "There is no such page" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("caller", "workspace", "title", "ways"),
    [
        (
            "staff",
            OWN,
            "This page is not for staff",
            {
                "Add-ons": "/admin/addons",
                "Purchases": "/admin/purchases",
                "Set aside": "/admin/parked",
                "Prices": "/pricing",
            },
        ),
        (
            "viewer",
            OWN,
            "This page is not for your role",
            {"Plan and billing": f"/app/{OWN}/settings/billing", "Prices": "/pricing"},
        ),
        (
            "owner",
            "ws-of-nobody",
            "There is no such workspace",
            {
                "Services": f"/app/{OWN}/billing/addons",
                "Plan and billing": f"/app/{OWN}/settings/billing",
                "Prices": "/pricing",
            },
        ),
    ],
)
async def test_who_is_not_let_in_is_told_where_to_go_instead(
    harness: Harness, site: Site, caller: str, workspace: str, title: str, ways: Mapping[str, str]
) -> None:
    await given_the_workspaces(harness)

    page = Page(await site.visitor(CALLERS[caller]).http.get(f"/app/{workspace}/billing/addons"))

    assert page.status in {403, 404}
    assert title in page.text
    assert page.listed("elsewhere") == ways
