"""Staff see what the catalog's consumer has set aside, have it tried again, and end it with a reason."""

import uuid

import pytest
from sqlalchemy import text

from catalog.consumer import GROUP
from chassis.kafka.records import StoredRecord, malformed
from chassis.outbox import parked, parked_commands
from tests.forms import text_of
from tests.integration.catalog.conftest import Catalog
from tests.integration.catalog_pages.conftest import Site

LIST = "/admin/addons/set-aside"


async def given_set_aside(catalog: Catalog) -> int:
    """Return a record with NUL in its key, its value and the name of a header."""
    record = StoredRecord(
        "billing.addon.price.v1", 3, uuid.uuid4().int % 2**40, b"\x00", b'{"a\x00": 1}', [("\x00", b"1")]
    )
    async with catalog.database.transaction() as session:
        await parked.park_malformed(session, [malformed(record, "a\x00b: Field required")], consumer=GROUP)
    async with catalog.database.reading() as session:
        return int((await session.execute(text("select max(id) from parked"))).scalar_one())


async def state_of(catalog: Catalog, item: int) -> tuple[bool, str | None]:
    """Return whether it is due now, and how it was resolved."""
    query = text("select retry_at is not null, resolution from parked where id = :id")
    async with catalog.database.reading() as session:
        due, resolution = (await session.execute(query, {"id": item})).one()
    return due, resolution


async def test_staff_see_it_have_it_tried_again_and_end_it(site: Site) -> None:
    item = await given_set_aside(site.catalog)
    async with site.staff() as staff:
        listed = await staff.get(LIST)
        page = await staff.get(f"{LIST}/{item}")
        retried = await staff.post(f"{LIST}/{item}/retry")
        due = await state_of(site.catalog, item)
        unsaid = await staff.post(f"{LIST}/{item}/discard", data={"reason": " "})
        ended = await staff.post(f"{LIST}/{item}/discard", data={"reason": "a stranger's record"})
        twice = await staff.post(f"{LIST}/{item}/discard", data={"reason": "again"})

    assert f"{LIST}/{item}" in listed.text
    assert "Field required" in text_of(page)
    assert (retried.status_code, due) == (303, (True, None))
    assert unsaid.status_code == 422
    assert [ended.status_code, twice.status_code] == [303, 303]
    assert (await state_of(site.catalog, item))[1] == "discarded by staff:usr_mira: a stranger's record"


async def test_all_are_tried_again_at_once(site: Site) -> None:
    items = [await given_set_aside(site.catalog) for _ in range(2)]
    async with site.staff() as staff:
        answer = await staff.post(LIST)
        page = await staff.get(answer.headers["location"])

    assert answer.status_code == 303
    assert f"Tried again: {len(items)}" in text_of(page)
    assert [await state_of(site.catalog, item) for item in items] == [(True, None)] * 2


@pytest.mark.parametrize("path", [LIST, f"{LIST}/1"])
async def test_it_is_staffs_alone(site: Site, path: str) -> None:
    async with site.visitor({"sub": "olga", "workspaces": {"ws-1": "owner"}}) as owner:
        assert (await owner.get(path)).status_code == 403


async def test_what_was_never_set_aside_is_not_there(site: Site) -> None:
    async with site.staff() as staff:
        assert (await staff.get(f"{LIST}/999999999")).status_code == 404


async def test_the_same_is_done_by_command(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    item = await given_set_aside(site.catalog)
    database = site.catalog.database

    assert await parked_commands.show(database, consumer=GROUP) == 0
    assert await parked_commands.retry(database, [str(item)], consumer=GROUP) == 0
    assert await parked_commands.discard(database, [str(item)], consumer=GROUP, reason="a stranger's") == 0
    assert await parked_commands.discard(database, [str(item), "x"], consumer=GROUP, reason="again") == 1

    assert "a\\x00b: Field required" in capsys.readouterr().out
    assert (await state_of(site.catalog, item))[1] == "discarded by operator: a stranger's"
