"""An add-on's form: what is typed is read, kept, and answered with what is wrong."""

from typing import Any

import pytest

from tests.forms import form_to, text_of
from tests.integration.catalog_pages.conftest import ADDONS, Site, send

Json = dict[str, Any]


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
        shown = text_of(await staff.get(done.headers["location"]))

    (row,) = await site.catalog.rows()
    assert (done.status_code, done.headers["location"]) == (303, f"{ADDONS}/{row.id}?done=created")
    assert "The add-on was created." in shown
    assert (row.slug, row.name, row.description) == ("professional-setup", "Professional Setup", "Two lines of text")
    assert (row.price_cents, row.currency, row.bullets) == (149950, "USD", ["first", "second"])
    assert (row.sort_order, row.is_active) == (-3, True)


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
        ({"description": "a\x01b"}, "description", "printable text"),
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
