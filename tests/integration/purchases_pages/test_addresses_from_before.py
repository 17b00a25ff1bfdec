"""The addresses of the original, which name no workspace, lead to the caller's own (SPEC §7)."""

import pytest

from tests.integration.permissions.matrix import CALLERS, OWN
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import given_the_plans
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.reading import Page

SERVICES = "/app/billing/addons"
BILLING = "/settings/billing"
OWN_SERVICES = f"/app/{OWN}/billing/addons"
OWN_BILLING = f"/app/{OWN}/settings/billing"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("caller", "address", "led_to"),
    [
        ("owner", SERVICES, OWN_SERVICES),
        ("admin", SERVICES, OWN_SERVICES),
        ("viewer", SERVICES, OWN_BILLING),
        ("owner", BILLING, OWN_BILLING),
        ("viewer", BILLING, OWN_BILLING),
        ("staff", SERVICES, "/admin/addons"),
        ("staff", BILLING, "/admin/addons"),
        ("member", SERVICES, "/admin/addons"),
        ("nobody", SERVICES, "/session/sign-in?next=%2Fapp%2Fbilling%2Faddons"),
        ("nobody", BILLING, "/session/sign-in?next=%2Fsettings%2Fbilling"),
        ("owner", f"{BILLING}/", BILLING),
        ("owner", f"{SERVICES}/", SERVICES),
    ],
)
async def test_it_leads_to_the_page_of_the_own_workspace(
    harness: Harness, site: Site, method: str, caller: str, address: str, led_to: str
) -> None:
    await harness.given_a_workspace(None, OWN)

    answer = await site.visitor(CALLERS[caller]).http.request(method, address)

    assert (answer.status_code, answer.headers.get("location")) == (303, led_to)


@pytest.mark.parametrize(
    ("address", "of_the_owner", "of_the_viewer"),
    [
        (SERVICES, "billing/addons", "settings/billing"),
        (BILLING, "settings/billing", "settings/billing"),
    ],
)
async def test_who_is_in_several_chooses(
    harness: Harness, site: Site, address: str, of_the_owner: str, of_the_viewer: str
) -> None:
    """By name; two of one name are shown with their ids. One that is not known here is no choice."""
    await given_the_plans(harness)
    for workspace, name in (("ws-a", "Acme"), ("ws-b", "<b>Beta</b>"), ("ws-c", "Acme")):
        await harness.given_a_workspace(None, workspace)
        await harness.execute("update workspaces set name = :name where id = :id", name=name, id=workspace)
    roles = {"ws-a": "owner", "ws-b": "viewer", "ws-c": "admin", "ws-unknown": "owner"}
    visitor = site.visitor({"sub": "olga", "workspaces": roles})

    page = await visitor.open(address)

    assert (page.status, "Which workspace?" in page.text) == (200, True)
    assert page.listed("workspaces") == {
        "Acme (ws-a)": f"/app/ws-a/{of_the_owner}",
        "<b>Beta</b>": f"/app/ws-b/{of_the_viewer}",
        "Acme (ws-c)": f"/app/ws-c/{of_the_owner}",
    }
    assert (await visitor.open(page.listed("workspaces")["Acme (ws-c)"])).status == 200


@pytest.mark.parametrize("address", [SERVICES, BILLING])
@pytest.mark.parametrize("workspaces", [{}, {"ws-unknown": "owner"}])
async def test_who_is_in_none_is_told(harness: Harness, site: Site, address: str, workspaces: dict[str, str]) -> None:
    page = Page(await site.visitor({"sub": "nina", "workspaces": workspaces}).http.get(address))

    assert (page.status, "You are in no workspace" in page.text) == (404, True)


async def test_a_neighbour_of_the_address_is_no_page(site: Site) -> None:
    page = Page(await site.owner(OWN).http.get("/settings/billing/elsewhere"))

    assert (page.status, "There is no such page" in page.text) == (404, True)
