"""Staff keep the add-ons on pages: who may, what is listed, what is saved, what goes on sale and off it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.forms import form_to, text_of
from tests.integration.catalog.conftest import STAFF
from tests.integration.catalog_pages.conftest import ADDONS, MARKUP, Site, send

Json = dict[str, Any]
SOME_ID = "0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31"
PAGES = [
    ("GET", ADDONS),
    ("GET", f"{ADDONS}/new"),
    ("POST", f"{ADDONS}/new"),
    ("GET", f"{ADDONS}/{{id}}"),
    ("POST", f"{ADDONS}/{{id}}"),
    ("GET", f"{ADDONS}/{{id}}/sale"),
    ("POST", f"{ADDONS}/{{id}}/sale"),
    ("GET", f"{ADDONS}/{{id}}/delete"),
    ("POST", f"{ADDONS}/{{id}}/delete"),
    ("GET", f"{ADDONS}/no-id"),
]
each_page = pytest.mark.parametrize(("method", "path"), PAGES, ids=lambda part: part)
SENT = {"name": "Changed", "price": "1.00", "currency": "EUR", "version": '"1"', "sale": "on", "sort_order": "0"}


async def asked(site: Site, claims: Json | None, method: str, path: str) -> httpx.Response:
    addon = await site.catalog.given_an_addon()
    async with site.visitor(claims) as somebody:
        page = await somebody.request(method, path.format(id=addon["id"]), data=SENT if method == "POST" else None)
    assert [(row.name, row.is_active) for row in await site.catalog.rows()] == [("Setup", False)]
    return page


@each_page
@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "olga", "workspaces": {"ws-1": "owner"}},
        STAFF | {"platform_role": "support"},
        {"sub": "svc", "scope": "workspaces:write"},
    ],
    ids=["owner", "support", "service"],
)
async def test_everyone_but_a_super_admin_gets_the_page_that_says_no(
    site: Site, claims: Json, method: str, path: str
) -> None:
    page = await asked(site, claims, method, path)

    assert page.status_code == 403
    assert "This page is not for your role" in text_of(page)


@each_page
@pytest.mark.parametrize("claims", [None, STAFF | {"expires_in": -120}], ids=["nobody", "expired"])
async def test_who_is_not_signed_in_signs_in_and_what_was_typed_is_kept(
    site: Site, claims: Json | None, method: str, path: str
) -> None:
    page = await asked(site, claims, method, path)

    if method == "GET":
        assert (page.status_code, page.headers["location"][:22]) == (303, "/session/sign-in?next=")
    else:
        assert page.status_code == 401
        assert form_to(page, page.request.url.path).filled() == {name: [value] for name, value in SENT.items()}


async def test_all_are_listed_with_price_and_state_and_by_state(site: Site) -> None:
    await site.catalog.given_an_addon(name="Setup", sort_order=2)
    await site.catalog.given_an_addon(name="Migration", price="99.00", is_active=True)

    async with site.staff() as staff:
        everything = text_of(await staff.get(ADDONS))
        on, off = text_of(await staff.get(f"{ADDONS}?state=on")), text_of(await staff.get(f"{ADDONS}?state=off"))

    assert "Migration migration · place 0 €99.00 On sale" in everything
    assert "Setup setup · place 2 €499.00 Not on sale" in everything
    assert ("Migration" in on, "Setup" in on) == (True, False)
    assert ("Migration" in off, "Setup" in off) == (False, True)


async def test_a_long_list_goes_on_behind_its_last_entry(site: Site) -> None:
    for number in range(51):
        await site.catalog.given_an_addon(name=f"Service {number:02}")

    async with site.staff() as staff:
        first = await staff.get(ADDONS)
        more = first.text.partition(f'href="{ADDONS}?cursor=')[2].partition('"')[0]
        second = await staff.get(f"{ADDONS}?cursor={more}")

    assert ("Service 49" in text_of(first), "Service 50" in text_of(first)) == (True, False)
    assert ("Service 49" in text_of(second), "Service 50" in text_of(second)) == (False, True)
    assert "cursor=" not in second.text


async def test_an_edit_is_saved_and_the_slug_stays(site: Site) -> None:
    addon = await site.catalog.given_an_addon(bullets=["one"])
    async with site.staff() as staff:
        done = await send(staff, await staff.get(f"{ADDONS}/{addon['id']}"), name="Renamed", price="549")
        page = await staff.get(done.headers["location"])

    assert "The add-on was saved." in text_of(page)
    (row,) = await site.catalog.rows()
    assert (row.slug, row.name, row.price_cents, row.bullets) == ("setup", "Renamed", 54900, ["one"])
    assert "setup – locked" in text_of(page)


async def test_a_save_that_changes_nothing_tells_nobody(site: Site) -> None:
    addon = await site.catalog.given_an_addon(description="a b")
    async with site.staff() as staff:
        await send(staff, await staff.get(f"{ADDONS}/{addon['id']}"))

    assert (await site.catalog.shown(addon))["sequence"] == 1


async def test_a_description_that_an_older_version_kept_in_lines_is_one_paragraph_once_saved(site: Site) -> None:
    addon = await site.catalog.given_an_addon(description="a b")
    async with site.catalog.database.transaction() as session:
        await session.execute(text("update plan_addons set description = E'a\\n\\nb'"))
    async with site.staff() as staff:
        await send(staff, await staff.get(f"{ADDONS}/{addon['id']}"), price="549")

    assert (await site.catalog.shown(addon))["description"] == "a b"


async def test_it_goes_on_sale_and_off_sale_from_the_list(site: Site) -> None:
    addon = await site.catalog.given_an_addon()
    path = f"{ADDONS}/{addon['id']}/sale"
    async with site.staff() as staff:
        on = await staff.post(path, data=form_to(await staff.get(ADDONS), path).filled())
        on_sale = await site.catalog.price_list()
        late = await staff.post(path, data={"sale": "off", "version": '"1"'})
        await staff.post(path, data=form_to(await staff.get(ADDONS), path).filled())

    assert (on.headers["location"], [one["slug"] for one in on_sale]) == (f"{ADDONS}?done=on", ["setup"])
    assert (late.status_code, "This add-on was saved since you opened the page" in text_of(late)) == (412, True)
    assert await site.catalog.price_list() == []


async def test_the_list_stays_where_it_was_when_something_goes_off_sale(site: Site) -> None:
    for number in range(52):
        await site.catalog.given_an_addon(name=f"Service {number:02}", is_active=True)
    async with site.staff() as staff:
        first = await staff.get(f"{ADDONS}?state=on")
        more = first.text.partition(f'href="{ADDONS}?cursor=')[2].partition('"')[0].replace("&amp;", "&")
        second = await staff.get(f"{ADDONS}?cursor={more}")
        path = second.text.partition('<form method="post" action="')[2].partition('"')[0]
        done = await staff.post(path, data=form_to(second, path).filled())
        after = await staff.get(done.headers["location"])

    text = text_of(after)
    assert "The add-on is not on sale any more." in text
    assert [f"Service {number}" in text for number in (49, 50, 51)] == [False, False, True]
    assert '?state=on" aria-current="true"' in after.text


@pytest.mark.parametrize("form", ["sale", "delete"])
async def test_who_is_asked_to_open_it_again_has_a_link_to_it(site: Site, form: str) -> None:
    addon = await site.catalog.given_an_addon(is_active=True)
    async with site.staff() as staff:
        late = await staff.post(f"{ADDONS}/{addon['id']}/{form}", data={"sale": "off", "version": '"7"'})

    assert (late.status_code, "Open it again, see what it is now" in text_of(late)) == (412, True)
    assert f'href="{ADDONS}/{addon["id"]}"' in late.text
    assert [row.is_active for row in await site.catalog.rows()] == [True]


async def test_the_address_of_a_form_without_a_page_leads_to_the_list(site: Site) -> None:
    addon = await site.catalog.given_an_addon()
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/{addon['id']}/sale")

    assert (page.status_code, page.headers["location"]) == (303, ADDONS)


async def test_it_is_deleted_after_a_question_and_its_row_stays(site: Site) -> None:
    addon = await site.catalog.given_an_addon(is_active=True)
    async with site.staff() as staff:
        question = await staff.get(f"{ADDONS}/{addon['id']}/delete")
        still = await site.catalog.price_list()
        done = await send(staff, question)

    assert ("Delete Setup?" in text_of(question), len(still)) == (True, 1)
    assert done.headers["location"] == f"{ADDONS}?done=deleted"
    assert [row.is_active for row in await site.catalog.rows()] == [False]
    assert (await site.catalog.changes())[0]["action"] == "withdrawn"


async def test_only_our_own_pages_change_anything(site: Site) -> None:
    async with site.staff(Origin="https://evil.example") as staff:
        page = await staff.post(f"{ADDONS}/new", data=SENT)

    assert (page.status_code, await site.catalog.rows()) == (403, [])


@pytest.mark.parametrize("path", [SOME_ID, "no-id", f"{SOME_ID}/delete", "a/b/c"])
async def test_what_there_is_not_is_a_page_that_says_so(site: Site, path: str) -> None:
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/{path}")

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_markup_comes_out_as_text(site: Site) -> None:
    addon = await site.catalog.given_an_addon(name=f"Setup {MARKUP}", description=MARKUP, bullets=[MARKUP])
    async with site.staff() as staff:
        pages = [
            await staff.get(path) for path in (ADDONS, f"{ADDONS}/{addon['id']}", f"{ADDONS}/{addon['id']}/delete")
        ]
        await site.catalog.edit(addon, {"description": f"changed {MARKUP}"})
        pages.append(await send(staff, pages[1], name=f"Mine {MARKUP}", key=MARKUP))

    assert [page.status_code for page in pages] == [200, 200, 200, 412]
    assert not any("<script>alert" in page.text for page in pages)
    assert all("&lt;script&gt;alert(1)&lt;/script&gt;" in page.text for page in pages)
