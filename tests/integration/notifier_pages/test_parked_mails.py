"""Staff see the notifier's parked mails and facts, have them tried again, and end them with a reason that is kept."""

import json
import re
from typing import Final

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.database.database import sqlstate
from notifier import mails
from notifier.consumer import GROUP
from notifier.housekeeping import forget_old
from notifier.parked import commands
from tests.fixtures import mailable_facts as facts
from tests.forms import form_to, read, text_of
from tests.integration.notifier_pages.conftest import LIST, Site

OF_A_STRANGER: Final = json.dumps(
    {"owner_email": "dana@northwind.example", "workspace_name": 'Northwind "Traders"', "purchase_id": "p-1"}
).encode()


async def test_staff_see_what_a_parked_mail_is_about_and_whose_it_is_on_the_purchase(site: Site) -> None:
    fact = facts.refund_issued(owner_email="dana@northwind.example")
    item = await site.given_parked(fact)
    async with site.staff() as staff:
        listed, page = await staff.get(LIST), await staff.get(f"{LIST}/{item}")

    assert f'href="{LIST}/{item}"' in listed.text
    assert "Refund issued" in text_of(listed)
    assert "550 5.1.1" in text_of(page)
    assert f'href="/admin/purchases/{fact.purchase_id}"' in page.text


async def test_no_page_and_no_command_shows_whose_mail_it_is(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    items = [await site.given_parked(facts.refund_issued()), await site.given_unreadable(OF_A_STRANGER, offset=1)]
    async with site.staff() as staff:
        shown = [(await staff.get(path)).text for path in (LIST, *(f"{LIST}/{item}" for item in items))]
    await commands.parked(site.database, consumer=GROUP)

    shown.append(capsys.readouterr().out)
    assert [text for text in shown if re.search("dana|Northwind|Traders", text)] == []
    assert "…@northwind.example" in shown[1]
    assert "p-1" in shown[2]


async def test_a_mail_is_tried_again_and_another_ended_with_a_reason(site: Site) -> None:
    again, never = await site.given_parked(facts.paid()), await site.given_parked(facts.refund_issued())
    async with site.staff() as staff:
        retried = await staff.post(f"{LIST}/{again}/retry")
        unsaid = await staff.post(f"{LIST}/{never}/discard", data={"reason": " "})
        before = await site.mail(never)
        ended = await staff.post(f"{LIST}/{never}/discard", data={"reason": "they heard by phone"})
        twice = await staff.post(f"{LIST}/{never}/discard", data={"reason": "again"})
        late = await staff.post(f"{LIST}/{never}/retry")
        page, listed = await staff.get(twice.headers["location"]), await staff.get(LIST)

    assert [retried.status_code, ended.status_code, twice.status_code, late.status_code] == [303] * 4
    assert (await site.mail(again))["due_at"]
    assert (unsaid.status_code, before["ended_at"]) == (422, None)
    assert (await site.mail(never))["ended_at"]
    assert "they heard by phone" in text_of(page)
    assert "Discard it" not in text_of(page)
    assert "Nothing is set aside" in text_of(listed)
    assert await site.decided() == [
        (again, "retry", "staff:usr_mira", None),
        (never, "discard", "staff:usr_mira", "they heard by phone"),
    ]


async def test_a_fact_is_read_again_and_ended(site: Site) -> None:
    item = await site.given_unreadable(b'{"a\x00": 1}', offset=1)
    async with site.staff() as staff:
        page = await staff.get(f"{LIST}/{item}")
        await staff.post(f"{LIST}/{item}/retry")
        due = await fact_of(site, item)
        await staff.post(f"{LIST}/{item}/discard", data={"reason": "a stranger's record"})

    assert "price_cents: Field required" in text_of(page)
    assert due == (True, None)
    assert (await fact_of(site, item))[1] == "discarded by staff:usr_mira: a stranger's record"


async def fact_of(site: Site, item: str) -> tuple[bool, str | None]:
    """Return whether it is due, and how it was resolved."""
    query = text("select retry_at is not null, resolution from parked where id = :id")
    async with site.database.reading() as session:
        due, resolution = (await session.execute(query, {"id": int(item.removeprefix("fact-"))})).one()
    return due, resolution


@pytest.mark.parametrize("kind", ["mail", "fact"])
async def test_all_of_a_kind_are_tried_again_at_once_and_none_of_the_other(site: Site, kind: str) -> None:
    parked_now = {
        "mail": {await site.given_parked(facts.paid()) for _ in range(2)},
        "fact": {await site.given_unreadable(b"x", offset=number) for number in range(2)},
    }
    async with site.staff() as staff:
        page = await staff.get(LIST)
        [form] = [form for form in forms_to(page, LIST) if form["kind"] == [kind]]
        answer = await staff.post(LIST, data=form)
        said = await staff.get(answer.headers["location"])

    assert "Tried again: 2" in text_of(said)
    assert {(item, decision) for item, decision, *_ in await site.decided()} == {
        (item, "retry") for item in parked_now[kind]
    }


def forms_to(page: httpx.Response, action: str) -> list[dict[str, list[str]]]:
    return [form.filled() for form in read(page).forms if form.action == action]


async def test_a_form_of_another_site_decides_nothing(site: Site) -> None:
    item = await site.given_parked(facts.paid())
    async with site.staff(Origin="https://evil.example") as staff:
        answer = await staff.post(f"{LIST}/{item}/discard", data={"reason": "mine"})

    assert answer.status_code == 403
    assert (await site.mail(item))["parked_at"]


@pytest.mark.parametrize("item", ["fact-999999999", "mail-YQ", "mail-YR", "mail-_w", "mail-", "command-1", "a%00b"])
async def test_what_was_never_parked_is_not_there(site: Site, item: str) -> None:
    async with site.staff() as staff:
        assert (await staff.get(f"{LIST}/{item}")).status_code == 404
        assert (await staff.post(f"{LIST}/{item}/retry")).status_code == 404


async def test_a_workspace_of_any_id_has_an_address_for_its_mails(site: Site) -> None:
    item = await site.given_parked(facts.renewal_failed(workspace_id="ws/../1?é"))
    async with site.staff() as staff:
        page = await staff.get(f"{LIST}/{item}")
        answer = await staff.post(
            f"{LIST}/{item}/discard", data=form_to(page, f"{LIST}/{item}/discard").filled(reason="x")
        )

    assert (page.status_code, answer.status_code) == (200, 303)
    assert (await site.mail(item))["ended_at"]


async def test_the_same_is_done_by_command(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    mail, fact = facts.paid(), await site.given_unreadable(b"x", offset=1)
    item, key = await site.given_parked(mail), f"purchase-paid:{mail.purchase_id}"
    database, number = site.database, fact.removeprefix("fact-")

    assert await commands.parked(database, consumer=GROUP) == 0
    assert await commands.retry(database, [number, "no-such-key"], consumer=GROUP) == 1
    assert await commands.discard(database, [key, number], consumer=GROUP, reason="agreed by phone") == 0
    assert await commands.discard(database, [key], consumer=GROUP, reason="again") == 1

    shown = capsys.readouterr().out
    assert key in shown
    assert "price_cents: Field required" in shown
    assert await site.decided() == [
        (fact, "retry", "operator", None),
        (item, "discard", "operator", "agreed by phone"),
        (fact, "discard", "operator", "agreed by phone"),
    ]


async def test_a_mail_that_went_out_after_all_is_sent_whatever_was_decided(site: Site) -> None:
    """Its sender was slow to hear the server's yes; meanwhile another tried, parked, and staff ended it."""
    item = await site.given_parked(facts.paid())
    async with site.staff() as staff:
        await staff.post(f"{LIST}/{item}/discard", data={"reason": "never"})
    row = await site.mail(item)
    async with site.database.transaction() as session:
        due = mails.DueMail(
            **{name: row[name] for name in ("key", "letter", "fact_type", "fact", "queued_at", "attempts")}
        )
        await mails.mark_sent(session, [due])

    after = await site.mail(item)
    assert (after["ended_at"], bool(after["sent_at"])) == (None, True)


async def test_what_an_ended_mail_said_is_forgotten_as_that_of_a_sent_one(site: Site) -> None:
    item = await site.given_parked(facts.paid())
    async with site.staff() as staff:
        await staff.post(f"{LIST}/{item}/discard", data={"reason": "never"})
        await forget_old(site.database, kept=facts.NO_TIME)
        page = await staff.get(f"{LIST}/{item}")

    row = await site.mail(item)
    assert (row["fact"], row["last_error"]) == (None, None)
    assert page.status_code == 200


@pytest.mark.parametrize("verb", ["update parked_decisions set actor = 'x'", "delete from parked_decisions"])
async def test_decisions_are_only_added_to(site: Site, verb: str) -> None:
    item = await site.given_parked(facts.paid())
    async with site.staff() as staff:
        await staff.post(f"{LIST}/{item}/retry")

    with pytest.raises(DBAPIError) as refused:
        async with site.database.transaction() as session:
            await (await session.connection()).exec_driver_sql(verb)

    assert sqlstate(refused.value) == "23001"
