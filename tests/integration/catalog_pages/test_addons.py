"""Staff keep the add-ons on pages: nothing typed is lost, nobody's work is undone unseen, nothing happens twice."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from tests.forms import form_to, told
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
    assert "This page is not for your role" in told(page)


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
        everything = told(await staff.get(ADDONS))
        on, off = told(await staff.get(f"{ADDONS}?state=on")), told(await staff.get(f"{ADDONS}?state=off"))

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

    assert ("Service 49" in told(first), "Service 50" in told(first)) == (True, False)
    assert ("Service 49" in told(second), "Service 50" in told(second)) == (False, True)
    assert "cursor=" not in second.text


async def test_an_addon_is_made_of_what_was_typed(site: Site) -> None:
    async with site.staff() as staff:
        done = await send(
            staff,
            await staff.get(f"{ADDONS}/new"),
            name=" Professional Setup ",
            description="Two lines\r\nof text",
            price="1499.50",
            currency="USD",
            bullet=["first", " ", "second"],
            sort_order="-3",
            is_active="true",
        )
        shown = told(await staff.get(done.headers["location"]))

    (row,) = await site.catalog.rows()
    assert (done.status_code, done.headers["location"]) == (303, f"{ADDONS}/{row.id}?done=created")
    assert "The add-on was created." in shown
    assert (row.slug, row.name, row.description) == ("professional-setup", "Professional Setup", "Two lines\nof text")
    assert (row.price_cents, row.currency, row.bullets) == (149950, "USD", ["first", "second"])
    assert (row.sort_order, row.is_active) == (-3, True)


async def test_a_form_sent_twice_or_twice_at_once_makes_one_addon(site: Site) -> None:
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/new")
        answers = await asyncio.gather(*(send(staff, page, name="Setup", price="1.00") for _ in range(4)))
        answers.append(await send(staff, page, name="Setup", price="1.00"))

    (row,) = await site.catalog.rows()
    assert {answer.headers["location"] for answer in answers} == {f"{ADDONS}/{row.id}?done=created"}
    assert (row.slug, len(await site.catalog.changes())) == ("setup", 1)


async def test_a_form_changed_after_it_made_its_addon_shows_both_and_loses_nothing(site: Site) -> None:
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/new")
        await send(staff, page, name="Setup", price="1.00")
        changed = await send(staff, page, name="Setup", price="2.00", description="typed after that")
        stored = [(row.price_cents, row.description) for row in await site.catalog.rows()]
        (row,) = await site.catalog.rows()
        action = f"{ADDONS}/{row.id}"
        saved = await staff.post(action, data=form_to(changed, action).filled())

    assert (changed.status_code, stored) == (412, [(100, None)])
    assert "This form made this add-on already" in told(changed)
    assert "Price 1.00 2.00" in told(changed)
    assert saved.headers["location"] == f"{action}?done=saved"
    assert [(row.price_cents, row.description) for row in await site.catalog.rows()] == [(200, "typed after that")]


async def test_an_edit_sent_twice_or_twice_at_once_is_saved_and_said_to_be(site: Site) -> None:
    addon = await site.catalog.given_an_addon(bullets=["one"])
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/{addon['id']}")
        typed: Json = {"name": " Renamed ", "price": "549", "description": "a\r\nb"}
        answers = await asyncio.gather(*(send(staff, page, **typed) for _ in range(3)))
        answers.append(await send(staff, page, **typed))

    assert {answer.headers["location"] for answer in answers} == {f"{ADDONS}/{addon['id']}?done=saved"}
    assert [one["action"] for one in await site.catalog.changes()] == ["edited", "created"]


@pytest.mark.parametrize(("form", "done"), [("sale", "on"), ("delete", "deleted")])
async def test_a_button_pressed_twice_is_done_once_and_said_to_be(site: Site, form: str, done: str) -> None:
    addon = await site.catalog.given_an_addon(is_active=form == "delete")
    path = f"{ADDONS}/{addon['id']}/{form}"
    async with site.staff() as staff:
        page = await staff.get(path if form == "delete" else ADDONS)
        answers = [await staff.post(path, data=form_to(page, path).filled()) for _ in range(2)]

    assert {answer.headers["location"] for answer in answers} == {f"{ADDONS}?done={done}"}
    assert len(await site.catalog.changes()) == 2


@pytest.mark.parametrize("path", ["new", "{id}"])
async def test_bullets_move_up_and_down_and_nothing_typed_is_lost(site: Site, path: str) -> None:
    addon = await site.catalog.given_an_addon(bullets=["one", "two", "three"])
    typed: Json = {"name": "Typed", "price": "twelve", "bullet": ["one", "two", "three"], "is_active": "true"}
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/{path.format(id=addon['id'])}")
        up = await send(staff, page, **typed, move="up-2")
        down = await send(staff, up, move="down-0")
        add = await send(staff, down, move="add")
        edge = await send(staff, add, move="up-0")

    order = [form_to(page, page.request.url.path).filled()["bullet"][:3] for page in (up, down, add, edge)]
    assert order == [["one", "three", "two"], *[["three", "one", "two"]] * 3]
    sent = form_to(edge, edge.request.url.path).filled()
    assert (sent["name"], sent["price"], sent["is_active"]) == (["Typed"], ["twelve"], ["true"])
    assert [row.bullets for row in await site.catalog.rows()] == [["one", "two", "three"]]


@pytest.mark.parametrize(
    ("language", "price", "currency", "cents", "shown"),
    [
        ("de", "499,00", "EUR", 49_900, "499,00"),
        ("de", "1.234,50", "EUR", 123_450, "1234,50"),
        ("de", "1234.50", "EUR", 123_450, "1234,50"),
        ("en", "1,234.50", "EUR", 123_450, "1234.50"),
        ("fr", "1 234,50", "EUR", 123_450, "1234,50"),
        ("de", "1500", "JPY", 1_500, "1500"),
    ],
)
async def test_a_price_is_read_and_shown_as_the_visitors_language_writes_it(
    site: Site, language: str, price: str, currency: str, cents: int, shown: str
) -> None:
    async with site.staff(**{"Accept-Language": language}) as staff:
        new = await staff.get(f"{ADDONS}/new")
        made = await send(staff, new, name="Setup", price=price, currency=currency)
        page = await staff.get(made.headers["location"])
        (row,) = await site.catalog.rows()
        action = f"{ADDONS}/{row.id}"
        again = await staff.post(action, data=form_to(page, action).filled())

    assert (row.price_cents, row.currency) == (cents, currency)
    assert form_to(page, action).filled()["price"] == [shown]
    assert again.headers["location"] == f"{action}?done=saved"
    assert [row.price_cents for row in await site.catalog.rows()] == [cents]


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("1,234", "EUR has 2 decimals, and this reads as 1.234: write 1234 for thousands"),
        ("1.234", "this reads as 1234 or as 1.234: write 1234, or 1,234"),
        ("12,", "an amount is written like 499, 499.00 or 499,00"),
    ],
)
async def test_a_price_that_could_be_another_is_refused_and_said_how_to_write(
    site: Site, price: str, said: str
) -> None:
    async with site.staff(**{"Accept-Language": "de"}) as staff:
        page = await send(staff, await staff.get(f"{ADDONS}/new"), name=" ", price=price)

    assert said in page.text.partition('id="price-error"')[2].partition("</p>")[0]
    assert "fill this in" in page.text.partition('id="name-error"')[2].partition("</p>")[0]
    assert form_to(page, f"{ADDONS}/new").filled()["price"] == [price]
    assert await site.catalog.rows() == []


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"name": " "}, "name", "fill this in"),
        ({"name": "!!!"}, "name", "at least one letter or digit"),
        ({"price": ""}, "price", "written like 499 or 499.00"),
        ({"price": "499,00"}, "price", "written like 499 or 499.00"),
        ({"price": "4.999"}, "price", "EUR has 2 decimals"),
        ({"price": "0.10"}, "price", "at least 0.50 EUR"),
        ({"currency": "XXX"}, "currency", "not a currency that can be charged"),
        ({"sort_order": "first"}, "sort_order", "A whole number"),
        ({"sort_order": "9" * 20}, "sort_order", "too much"),
        ({"bullet": ["fine", "x" * 201]}, "bullet-1", "At most 200 characters"),
        ({"description": "a\x01b"}, "description", "control characters"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_said_at_its_field_and_everything_typed_stays(
    site: Site, typed: Json, field: str, said: str
) -> None:
    right: Json = {"name": "Setup", "price": "499.00", "description": "Typed", "bullet": ["fine"]}
    async with site.staff() as staff:
        page = await send(staff, await staff.get(f"{ADDONS}/new"), **right | typed)

    assert page.status_code == 422
    assert said in page.text.partition(f'id="{field}-error"')[2].partition("</p>")[0]
    kept = form_to(page, f"{ADDONS}/new").filled()
    assert {name: kept[name][0] for name in ("name", "price")} == {
        name: (right | typed)[name] for name in ("name", "price")
    }
    assert await site.catalog.rows() == []


async def test_an_edit_is_saved_and_the_slug_stays(site: Site) -> None:
    addon = await site.catalog.given_an_addon(bullets=["one"])
    async with site.staff() as staff:
        done = await send(staff, await staff.get(f"{ADDONS}/{addon['id']}"), name="Renamed", price="549")
        page = await staff.get(done.headers["location"])

    assert "The add-on was saved." in told(page)
    (row,) = await site.catalog.rows()
    assert (row.slug, row.name, row.price_cents, row.bullets) == ("setup", "Renamed", 54900, ["one"])
    assert "setup – locked" in told(page)


async def test_a_save_that_changes_nothing_tells_nobody(site: Site) -> None:
    addon = await site.catalog.given_an_addon(description="a\nb")
    async with site.staff() as staff:
        await send(staff, await staff.get(f"{ADDONS}/{addon['id']}"))

    assert (await site.catalog.shown(addon))["sequence"] == 1


async def test_of_two_edits_the_second_sees_both_and_loses_nothing(site: Site) -> None:
    addon = await site.catalog.given_an_addon(name="Setup")
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/{addon['id']}")
        await site.catalog.edit(addon, {"name": "Theirs", "price": "1.00"})

        conflict = await send(staff, page, name="Mine", description="My text")
        stored = (await site.catalog.shown(addon))["name"]
        saved = await send(staff, conflict)

    assert (conflict.status_code, stored) == (412, "Theirs")
    text = told(conflict)
    assert "This add-on was saved while you were editing it" in text
    assert "Name Theirs Mine" in text
    assert "Price 1.00 499.00" in text
    assert saved.status_code == 303
    now = await site.catalog.shown(addon)
    assert (now["name"], now["description"], now["price"]) == ("Mine", "My text", "499.00")


async def test_it_goes_on_sale_and_off_sale_from_the_list(site: Site) -> None:
    addon = await site.catalog.given_an_addon()
    path = f"{ADDONS}/{addon['id']}/sale"
    async with site.staff() as staff:
        on = await staff.post(path, data=form_to(await staff.get(ADDONS), path).filled())
        on_sale = await site.catalog.price_list()
        late = await staff.post(path, data={"sale": "off", "version": '"1"'})
        await staff.post(path, data=form_to(await staff.get(ADDONS), path).filled())

    assert (on.headers["location"], [one["slug"] for one in on_sale]) == (f"{ADDONS}?done=on", ["setup"])
    assert (late.status_code, "This add-on was saved since you opened the page" in told(late)) == (412, True)
    assert await site.catalog.price_list() == []


async def test_it_is_deleted_after_a_question_and_its_row_stays(site: Site) -> None:
    addon = await site.catalog.given_an_addon(is_active=True)
    async with site.staff() as staff:
        question = await staff.get(f"{ADDONS}/{addon['id']}/delete")
        still = await site.catalog.price_list()
        done = await send(staff, question)

    assert ("Delete Setup?" in told(question), len(still)) == (True, 1)
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


async def test_a_key_of_somebodys_own_making_does_no_harm(site: Site) -> None:
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/new")
        await send(staff, page, name="Setup", price="1.00", key=str(uuid.uuid4()))
        await send(staff, page, name="Setup", price="1.00", key="x" * 300)

    assert [row.slug for row in await site.catalog.rows()] == ["setup", "setup-2"]
