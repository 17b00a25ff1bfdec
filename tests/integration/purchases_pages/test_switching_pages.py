"""Somebody in several workspaces: each page says whose it is, and leads to the same page of the others."""

from typing import Final

import pytest

from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import given_the_plans
from tests.integration.purchases_pages.conftest import Site, Visitor

MARKUP: Final = "<b>Gamma</b>"
SERVICES: Final = "billing/addons"
BILLING: Final = "settings/billing"


async def somebody_in_several(harness: Harness, site: Site) -> Visitor:
    """Owner of two and viewer of one; a fourth was never registered here."""
    await given_the_plans(harness)
    for workspace, name in (("ws-a", "Alpha"), ("ws-b", "Beta"), ("ws-c", MARKUP), ("ws-d", "Delta, of somebody else")):
        await harness.given_a_workspace(None, workspace)
        await harness.execute("update workspaces set name = :name where id = :id", name=name, id=workspace)
    roles = {"ws-a": "owner", "ws-b": "admin", "ws-c": "viewer", "ws-unknown": "owner"}
    return site.visitor({"sub": "olga", "workspaces": roles})


@pytest.mark.parametrize(("page", "of_the_viewer"), [(SERVICES, BILLING), (BILLING, BILLING)])
async def test_a_page_names_its_workspace_and_leads_to_itself_in_the_others(
    harness: Harness, site: Site, page: str, of_the_viewer: str
) -> None:
    visitor = await somebody_in_several(harness, site)

    seen = await visitor.open(f"/app/ws-b/{page}")
    other = await visitor.open(seen.listed("others")["Alpha"])

    assert "Workspace Beta" in seen.text
    assert seen.listed("others") == {"Alpha": f"/app/ws-a/{page}", MARKUP: f"/app/ws-c/{of_the_viewer}"}
    assert seen.nav[:2] == ["Services", "Plan and billing"]
    assert seen.links["Services"] == f"/app/ws-b/{SERVICES}"
    assert (other.status, "Workspace Alpha" in other.text) == (200, True)
    assert other.links["Services"] == f"/app/ws-a/{SERVICES}"


@pytest.mark.parametrize(
    ("roles", "led_to"),
    [
        ({"ws-unknown": "owner", "ws-b": "owner"}, f"/app/ws-b/{SERVICES}"),
        ({"ws-unknown": "owner", "ws-c": "viewer"}, f"/app/ws-c/{BILLING}"),
        ({"ws-c": "viewer", "ws-b": "admin", "ws-a": "owner"}, f"/app/ws-a/{SERVICES}"),
        ({"ws-c": "viewer", "ws-b": "admin"}, f"/app/ws-b/{SERVICES}"),
        ({"ws-b": "owner", "ws-a": "owner"}, f"/app/ws-b/{SERVICES}"),
        ({"ws-unknown": "owner"}, "/pricing"),
        ({}, "/pricing"),
    ],
)
async def test_one_begins_in_a_workspace_that_is_known_here_and_where_one_may_do_most(
    harness: Harness, site: Site, roles: dict[str, str], led_to: str
) -> None:
    await somebody_in_several(harness, site)

    answer = await site.visitor({"sub": "olga", "workspaces": roles}).http.get("/app")

    assert (answer.status_code, answer.headers["location"]) == (303, led_to)


@pytest.mark.parametrize("address", [f"/app/ws-unknown/{SERVICES}", f"/app/ws-unknown/{BILLING}", "/app/nothing/here"])
async def test_who_meets_what_is_not_there_is_led_to_what_is(harness: Harness, site: Site, address: str) -> None:
    await somebody_in_several(harness, site)
    roles = {"ws-unknown": "owner", "ws-c": "viewer", "ws-a": "owner"}

    seen = await site.visitor({"sub": "olga", "workspaces": roles}).open(address)
    lost = await site.visitor({"sub": "olga", "workspaces": {"ws-unknown": "owner"}}).open(address)

    assert (seen.status, lost.status) == (404, 404)
    assert list(seen.listed("elsewhere").values())[:2] == [f"/app/ws-a/{SERVICES}", f"/app/ws-a/{BILLING}"]
    assert [lost.listed("elsewhere"), lost.nav] == [{"Prices": "/pricing"}, ["Prices"]]


async def test_the_prices_lead_back_to_the_workspace_that_one_comes_from(harness: Harness, site: Site) -> None:
    visitor = await somebody_in_several(harness, site)

    prices = [(await visitor.open(f"/app/{one}/{BILLING}")).links["Prices"] for one in ("ws-a", "ws-b", "ws-c")]

    assert prices == ["/pricing", "/pricing?workspace=ws-b", "/pricing?workspace=ws-c"]


async def test_workspaces_of_one_name_are_told_apart(harness: Harness, site: Site) -> None:
    visitor = await somebody_in_several(harness, site)
    await harness.execute("update workspaces set name = 'Beta' where id = 'ws-a'")

    seen = await visitor.open(f"/app/ws-b/{SERVICES}")

    assert list(seen.listed("others")) == ["Beta (ws-a)", MARKUP]


async def test_who_is_in_one_is_offered_no_other(harness: Harness, site: Site) -> None:
    await somebody_in_several(harness, site)

    seen = await site.owner("ws-a").open(f"/app/ws-a/{BILLING}")
    staff = await site.visitor({"sub": "mira", "platform_role": "super_admin"}).open(f"/app/ws-a/{BILLING}")

    assert ["Workspace Alpha" in page.text for page in (seen, staff)] == [True, True]
    assert ["Your other workspaces" in page.text for page in (seen, staff)] == [False, False]


async def test_what_is_cancelled_is_of_a_named_workspace_too(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    await harness.given_a_workspace(None, "ws-other")
    owner = site.visitor({"sub": "olga", "workspaces": {purchase.workspace_id: "owner", "ws-other": "owner"}})
    (row,) = await harness.rows("select name from workspaces where id = :id", id=purchase.workspace_id)

    asked = await owner.open(f"/app/{purchase.workspace_id}/{SERVICES}/{purchase.id}/cancel")

    assert f"Workspace {row['name']}" in asked.text
    assert list(asked.listed("others").values()) == [f"/app/ws-other/{SERVICES}"]
