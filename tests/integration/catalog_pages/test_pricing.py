"""The price page: what is on sale, for anybody, in the visitor's language."""

import re

import httpx
import pytest

from tests.forms import text_of
from tests.integration.catalog_pages.conftest import MARKUP, Site

OWNER = {"sub": "olga", "workspaces": {"ws-1": "owner"}}


async def prices(site: Site, **headers: str) -> httpx.Response:
    async with site.visitor(None, **headers) as anybody:
        return await anybody.get("/pricing")


async def test_anybody_sees_the_plans_with_caps_and_prices_and_what_is_on_sale(site: Site) -> None:
    await site.catalog.given_the_seed()
    await site.catalog.given_an_addon(name="Migration", is_active=True, bullets=["Two days", "One engineer"])

    page = await prices(site)

    assert page.status_code == 200
    text = text_of(page)
    assert "Free No charge Own API keys: 0 Projects: 1 Seats: 1" in text
    assert "Builder €9.00 per month €89.00 per year $9.00 per month" in text
    assert "Projects: no limit" in text
    assert "Migration €499.00 Two days One engineer" in text
    assert "Professional AI Setup" not in text
    assert "Sign in to choose Builder" in text


async def test_link_checkers_and_probes_ask_for_the_head_of_the_page(site: Site) -> None:
    async with site.visitor() as probe:
        head, page, sent = await probe.head("/pricing"), await probe.get("/pricing"), await probe.post("/pricing")
        held = await probe.head("/pricing", headers={"If-None-Match": page.headers["etag"]})

    assert (head.status_code, head.headers["etag"]) == (200, page.headers["etag"])
    assert held.status_code == 304
    assert (sent.status_code, sent.headers["allow"]) == (405, "GET, HEAD")


async def test_with_nothing_on_sale_it_says_so(site: Site) -> None:
    assert "No services available" in text_of(await prices(site))


async def test_amounts_are_the_visitors(site: Site) -> None:
    await site.catalog.given_an_addon(is_active=True)

    page = await prices(site, **{"Accept-Language": "de-AT,de;q=0.8"})

    assert "499,00" in text_of(page)


async def test_who_holds_the_page_already_gets_none_until_something_changes(site: Site) -> None:
    addon = await site.catalog.given_an_addon(is_active=True)
    page = await prices(site)

    again = await prices(site, **{"If-None-Match": page.headers["etag"]})
    await site.catalog.edit(addon, {"price": "1.00"})
    changed = await prices(site, **{"If-None-Match": page.headers["etag"]})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", page.headers["etag"])
    assert page.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert (changed.status_code, "€1.00" in text_of(changed)) == (200, True)


async def test_another_language_and_another_visitor_are_another_page(site: Site) -> None:
    await site.catalog.given_an_addon(is_active=True)
    page = await prices(site)

    german = await prices(site, **{"Accept-Language": "de", "If-None-Match": page.headers["etag"]})
    async with site.visitor(OWNER, **{"If-None-Match": page.headers["etag"]}) as owner:
        own = await owner.get("/pricing")

    assert (german.status_code, own.status_code) == (200, 200)
    assert own.headers["cache-control"] == "private, no-cache"
    assert {"Cookie", "Accept-Language"} <= set(own.headers["vary"].split(", "))


@pytest.mark.parametrize(
    ("claims", "links"),
    [
        (None, ["/session/sign-in?next=%2Fpricing"]),
        (OWNER, ["/app/ws-1/settings/billing", "/app/ws-1/billing/addons"]),
        (
            {"sub": "adam", "workspaces": {"ws-1": "admin"}},
            ["/app/ws-1/settings/billing", "/app/ws-1/billing/addons"],
        ),
        ({"sub": "edith", "workspaces": {"ws-1": "editor"}}, ["/app/ws-1/settings/billing"]),
        ({"sub": "nina"}, []),
        ({"sub": "mira", "platform_role": "super_admin", "workspaces": {"ws-1": "owner"}}, []),
    ],
)
async def test_the_buttons_lead_to_what_the_visitor_may_open(
    site: Site, claims: dict[str, object] | None, links: list[str]
) -> None:
    await site.catalog.given_the_seed()
    await site.catalog.given_an_addon(is_active=True)

    async with site.visitor(claims) as visitor:
        page = await visitor.get("/pricing")

    assert links == re.findall(r'class="button \w+" href="([^"]+)"', page.text)


ALPHAS_VIEWER = {"sub": "olga", "workspaces": {"alpha": "viewer", "beta": "owner", "gamma": "admin", "delta": "owner"}}


@pytest.mark.parametrize(
    ("address", "workspace", "label"),
    [
        ("/pricing", "beta", "Choose Builder"),
        ("/pricing?workspace=beta", "beta", "Choose Builder"),
        ("/pricing?workspace=delta", "delta", "Choose Builder"),
        ("/pricing?workspace=gamma", "gamma", "See your plan"),
        ("/pricing?workspace=alpha", "alpha", "See your plan"),
        ("/pricing?workspace=of-somebody-else", "beta", "Choose Builder"),
        ("/pricing?workspace=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "beta", "Choose Builder"),
        ("/pricing?workspace=&workspace=", "beta", "Choose Builder"),
    ],
)
async def test_who_is_in_several_workspaces_chooses_for_the_one_they_come_from_or_own(
    site: Site, address: str, workspace: str, label: str
) -> None:
    await site.catalog.given_the_seed()

    async with site.visitor(ALPHAS_VIEWER) as visitor:
        page = await visitor.get(address)

    assert re.findall(r'class="button \w+" href="([^"]+)">([^<]+)<', page.text)[:1] == [
        (f"/app/{workspace}/settings/billing", label)
    ]
    billing, prices = re.findall(r'<li><a href="([^"]+)"[^>]*>(?:Plan and billing|Prices)<', page.text)
    assert billing == f"/app/{workspace}/settings/billing"
    assert prices == ("/pricing" if workspace == "beta" else f"/pricing?workspace={workspace}")
    assert "alert(1)" not in page.text


@pytest.mark.parametrize("role", ["admin", "editor", "viewer"])
async def test_only_an_owner_is_offered_to_choose_a_plan(site: Site, role: str) -> None:
    await site.catalog.given_the_seed()

    async with site.visitor({"sub": "olga", "workspaces": {"ws-1": role}}) as member:
        page = await member.get("/pricing")

    assert "Choose Builder" not in page.text
    assert "See your plan Only the owner of your workspace can choose it." in text_of(page)


async def test_a_session_that_is_over_hides_no_prices(site: Site) -> None:
    await site.catalog.given_an_addon(is_active=True)

    async with site.visitor({"sub": "olga", "expires_in": -120}) as former:
        page = await former.get("/pricing")

    assert (page.status_code, "€499.00" in text_of(page)) == (200, True)


async def test_markup_comes_out_as_text(site: Site) -> None:
    await site.catalog.given_an_addon(name=f"Setup {MARKUP}", description=MARKUP, bullets=[MARKUP], is_active=True)

    page = await prices(site)

    assert "<script>alert" not in page.text
    assert page.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3


@pytest.mark.parametrize("path", ["/pricing/x", "/admin/addons/a/b/c", "/admin"])
async def test_what_there_is_not_is_a_page_to_people_and_a_problem_to_programs(site: Site, path: str) -> None:
    async with site.visitor() as anybody:
        page = await anybody.get(path, headers={"Accept": "text/html"})
        problem = await anybody.get(path, headers={"Accept": "application/json"})

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Check the address, or go back." in text_of(page)
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
