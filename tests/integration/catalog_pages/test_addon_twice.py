"""Of an add-on's forms sent twice, late, or by two people nothing happens twice, and nobody's work is undone unseen."""

import asyncio
import uuid
from typing import Any

import pytest

from tests.forms import form_to, text_of
from tests.integration.catalog_pages.conftest import ADDONS, Site, send

Json = dict[str, Any]


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
    assert "This form made this add-on already" in text_of(changed)
    assert "Price 1.00 2.00" in text_of(changed)
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


async def test_of_two_edits_the_second_sees_both_and_loses_nothing(site: Site) -> None:
    addon = await site.catalog.given_an_addon(name="Setup")
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/{addon['id']}")
        await site.catalog.edit(addon, {"name": "Theirs", "price": "1.00"})

        conflict = await send(staff, page, name="Mine", description="My text")
        stored = (await site.catalog.shown(addon))["name"]
        saved = await send(staff, conflict)

    assert (conflict.status_code, stored) == (412, "Theirs")
    text = text_of(conflict)
    assert "This add-on was saved while you were editing it" in text
    assert "Name Theirs Mine" in text
    assert "Price 1.00 499.00" in text
    assert saved.status_code == 303
    now = await site.catalog.shown(addon)
    assert (now["name"], now["description"], now["price"]) == ("Mine", "My text", "499.00")


async def test_a_key_of_somebodys_own_making_does_no_harm(site: Site) -> None:
    async with site.staff() as staff:
        page = await staff.get(f"{ADDONS}/new")
        await send(staff, page, name="Setup", price="1.00", key=str(uuid.uuid4()))
        await send(staff, page, name="Setup", price="1.00", key="x" * 300)

    assert [row.slug for row in await site.catalog.rows()] == ["setup", "setup-2"]
