"""Staff see on pages what was set aside, and say what becomes of it: once, with a reason, and after a question."""

import asyncio
from collections.abc import Sequence

import pytest

from purchases.ledger.rows import Purchase
from tests.forms import form_to, read, text_of
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.test_bundles import parked_item, refunded_in_part
from tests.integration.purchases_api.test_parked import PARK_COMMAND, delivered_in_the_wrong_order, given_one_of_each
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.staff import MARKUP, MIRA, NOBODYS, PARKED, browser, of, send


async def test_each_kind_is_listed_with_why_and_what_it_waits_for(harness: Harness, site: Site) -> None:
    purchase = await given_one_of_each(harness)
    async with browser(site) as staff:
        page, resolved = text_of(await staff.get(PARKED)), await staff.get(PARKED, params={"state": "resolved"})
        about = await staff.get(of(purchase))

    assert "What was asked of Stripe · no such invoice" in page
    assert "A payment that fits no purchase" in page
    assert "What happened" in page
    assert "Waits for" in page
    assert "Nothing was set aside yet" in text_of(resolved)
    assert "Set aside about it" in text_of(about)


async def test_all_of_one_kind_are_tried_again_with_one_press(harness: Harness, site: Site) -> None:
    await given_one_of_each(harness)
    async with browser(site) as staff:
        page = await staff.get(PARKED)
        kinds = sorted(form.fields[0][1] for form in read(page).forms if form.action == PARKED)
        pressed = await staff.post(PARKED, data={"kind": "command"})
        said = text_of(await staff.get(pressed.headers["location"]))
        nonsense = await staff.post(PARKED, data={"kind": "nothing"})

    assert kinds == ["command", "fact", "payment"]
    assert "Tried again: 1" in said
    assert (nonsense.status_code, nonsense.headers["location"]) == (303, PARKED)
    assert await harness.rows("select kind from stripe_commands where state = 'open'") == [{"kind": "void"}]


async def test_nothing_set_aside_is_said(site: Site) -> None:
    async with browser(site) as staff:
        assert "Nothing is set aside" in text_of(await staff.get(PARKED))


async def test_an_item_shows_what_it_says_and_is_tried_again(harness: Harness, site: Site) -> None:
    purchase, paid = await delivered_in_the_wrong_order(harness)
    item = await parked_item(harness)
    await harness.deliver(*paid)
    await harness.execute(
        "update parked set resolved_at = null, resolution = null, waits_for = null, retry_at = null, reason = 'a bug'"
    )
    async with browser(site) as staff:
        page = await staff.get((await staff.get(f"{PARKED}/{item}/retry")).headers["location"])
        retry = form_to(page, f"{PARKED}/{item}/retry").filled()
        done = await staff.post(f"{PARKED}/{item}/retry", data=retry)
        said = await staff.get(done.headers["location"])
        while await harness.consumer._retry_one():
            pass
        twice = await staff.post(f"{PARKED}/{item}/retry", data=retry)
        after = await staff.get(twice.headers["location"])

    assert '"amount": 100' in text_of(page)
    assert "It is tried again now." in text_of(said)
    assert "It was tried again: you see below what became of it. " in text_of(after)
    assert "Applied" in text_of(after)
    assert "Try it again now" not in text_of(after)
    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == [100]


async def test_a_discard_is_asked_about_wants_a_reason_and_is_done_once(harness: Harness, site: Site) -> None:
    await delivered_in_the_wrong_order(harness)
    item = await parked_item(harness)
    async with browser(site) as staff:
        question = await staff.get(f"{PARKED}/{item}/discard")
        without = await send(staff, question, reason=" ")
        answers = await asyncio.gather(*(send(staff, question, reason=f"by hand {MARKUP}") for _ in range(3)))
        other = await send(staff, question, reason="for another reason")
        late = await staff.get(f"{PARKED}/{item}/discard")
        page = await staff.get(f"{PARKED}/{item}")

    assert (without.status_code, "fill this in" in without.text) == (422, True)
    assert {answer.headers["location"] for answer in answers} == {f"{PARKED}/{item}?done=discard"}
    assert [other.status_code, late.status_code] == [409, 409]
    assert "This is not set aside any more" in text_of(other)
    assert len(await harness.rows("select 1 from parked_decisions")) == 1
    assert f"staff:mira · by hand {MARKUP}" in text_of(page)
    assert "<script>alert" not in page.text


async def test_a_command_that_stripe_refused_is_carried_out_when_staff_say_so(harness: Harness, site: Site) -> None:
    await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.execute(PARK_COMMAND)
    (row,) = await harness.rows("select id from stripe_commands")
    async with browser(site) as staff:
        done = await staff.post(f"{PARKED}/command-{row['id']}/retry")

    assert done.status_code == 303
    assert len(await harness.rows("select 1 from stripe_commands where state = 'open'")) == 1


async def test_a_refund_that_names_nobody_is_given_to_a_purchase_after_a_look_at_it(
    harness: Harness, site: Site
) -> None:
    purchases = await refunded_in_part(harness)
    item, mine = await parked_item(harness), purchases[1]
    async with browser(site) as staff:
        page = await staff.get(f"{PARKED}/{item}")
        asked = await staff.get(f"{PARKED}/{item}/allocate", params={"purchase_id": f" {mine.id} "})
        answers = await asyncio.gather(*(send(staff, asked) for _ in range(2)))
        answers.append(await send(staff, asked))
        after = await staff.get(f"{PARKED}/{item}")

    assert "Whose money is it?" in text_of(page)
    assert "Is the refund of this purchase?" in text_of(asked)
    assert mine.workspace_id in text_of(asked)
    assert {answer.headers["location"] for answer in answers} == {f"{PARKED}/{item}?done=allocate"}
    assert f"staff:mira · to {mine.id}" in text_of(after)
    assert await refunds_of(harness, purchases) == [[], [700]]


@pytest.mark.parametrize("mine", ["retry", "discard", "allocate"])
async def test_what_a_colleague_decided_meanwhile_is_said_and_mine_is_not_done(
    harness: Harness, site: Site, mine: str
) -> None:
    """Also where I decided the same before: that was about what stood there then."""
    purchases = await refunded_in_part(harness)
    item = await parked_item(harness)
    async with browser(site) as mira, browser(site, MIRA | {"sub": "noor"}) as noor:
        await mira.post(f"{PARKED}/{item}/retry", data={"seen": "0"})
        pages = {
            "retry": await mira.get(f"{PARKED}/{item}"),
            "discard": await mira.get(f"{PARKED}/{item}/discard"),
            "allocate": await mira.get(f"{PARKED}/{item}/allocate", params={"purchase_id": str(purchases[1].id)}),
        }
        form = form_to(pages[mine], f"{PARKED}/{item}/{mine}")
        data = form.filled(reason="mine") if mine == "discard" else form.filled()
        await noor.post(f"{PARKED}/{item}/retry", data={"seen": "1"})
        retried = await mira.post(f"{PARKED}/{item}/{mine}", data=data)
        await noor.post(f"{PARKED}/{item}/discard", data={"seen": "2", "reason": "it is nobody's"})
        discarded = await mira.post(f"{PARKED}/{item}/{mine}", data=data)

    assert (retried.status_code, discarded.status_code) == (409, 409)
    assert "Something was decided about this since you opened the page" in text_of(retried)
    assert "This is not set aside any more" in text_of(discarded)
    assert "staff:noor · it is nobody's" in text_of(discarded)
    assert mine != "discard" or "Retry staff:noor" in text_of(retried)
    decided = await harness.rows("select decision, actor from parked_decisions order by id")
    assert [f"{row['decision']} {row['actor']}" for row in decided] == [
        "retry staff:mira", "retry staff:noor", "discard staff:noor"
    ]  # fmt: skip


async def test_a_discard_after_a_colleagues_decision_is_asked_about_anew_with_its_reason(
    harness: Harness, site: Site
) -> None:
    await refunded_in_part(harness)
    item = await parked_item(harness)
    async with browser(site) as mira, browser(site, MIRA | {"sub": "noor"}) as noor:
        question = await mira.get(f"{PARKED}/{item}/discard")
        await noor.post(f"{PARKED}/{item}/retry", data={"seen": "0"})
        anew = await send(mira, question, reason="A long reason, typed once")
        before = await harness.rows("select 1 from parked_decisions where decision = 'discard'")
        done = await send(mira, anew)

    assert (anew.status_code, before) == (409, [])
    assert form_to(anew, f"{PARKED}/{item}/discard").filled()["reason"] == ["A long reason, typed once"]
    assert done.headers["location"] == f"{PARKED}/{item}?done=discard"
    (kept,) = await harness.rows("select reason from parked_decisions where decision = 'discard'")
    assert kept["reason"] == "A long reason, typed once"


@pytest.mark.parametrize("mine", ["retry", "discard"])
async def test_the_same_form_of_mine_sent_after_it_was_done_is_done(harness: Harness, site: Site, mine: str) -> None:
    await refunded_in_part(harness)
    item = await parked_item(harness)
    async with browser(site) as staff:
        data = {"seen": "0", "reason": "once"} if mine == "discard" else {"seen": "0"}
        answers = [await staff.post(f"{PARKED}/{item}/{mine}", data=data) for _ in range(2)]

    assert {answer.headers["location"] for answer in answers} == {f"{PARKED}/{item}?done={mine}"}
    assert len(await harness.rows("select 1 from parked_decisions")) == 1


async def refunds_of(harness: Harness, purchases: Sequence[Purchase]) -> list[list[int]]:
    rows = [await harness.purchase(one.id) for one in purchases]
    return [[refund.refund_cents for refund in row.refunds] for row in rows]


@pytest.mark.parametrize("purchase_id", ["", "nonsense", MARKUP, NOBODYS])
async def test_a_purchase_that_there_is_not_is_said_at_the_field(
    harness: Harness, site: Site, purchase_id: str
) -> None:
    await refunded_in_part(harness)
    item = await parked_item(harness)
    async with browser(site) as staff:
        page = await staff.get(f"{PARKED}/{item}/allocate", params={"purchase_id": purchase_id})

    assert page.status_code == 422
    assert "There is no purchase of this id" in page.text.partition('id="purchase_id-error"')[2]
    assert form_to(page, f"{PARKED}/{item}/allocate").filled() == {"purchase_id": [purchase_id]}


async def test_a_refund_is_not_given_to_what_another_charge_paid(harness: Harness, site: Site) -> None:
    """Which is said instead of the question, and once more to a form that was open already."""
    purchases = await refunded_in_part(harness)
    item, other = await parked_item(harness), await harness.given_a_purchase()
    async with browser(site) as staff:
        mine = await staff.get(f"{PARKED}/{item}/allocate", params={"purchase_id": str(purchases[1].id)})
        answers = [
            await staff.get(f"{PARKED}/{item}/allocate", params={"purchase_id": str(other.id)}),
            await send(staff, mine, purchase_id=str(other.id)),
        ]

    for refused in answers:
        assert (refused.status_code, "Another charge paid for this purchase" in text_of(refused)) == (409, True)
        assert form_to(refused, f"{PARKED}/{item}/allocate").filled() == {"purchase_id": [str(other.id)]}
    assert await parked_item(harness) == item


async def test_whose_money_it_is_is_not_asked_once_somebody_said_it(harness: Harness, site: Site) -> None:
    purchases = await refunded_in_part(harness)
    item = await parked_item(harness)
    async with browser(site) as staff:
        path = f"{PARKED}/{item}/allocate?purchase_id={purchases[1].id}"
        await send(staff, await staff.get(path))
        late = await staff.get(path)

    assert (late.status_code, "This is not set aside any more" in text_of(late)) == (409, True)
    assert "Is the refund of this purchase?" not in text_of(late)


async def test_what_waits_for_nobodys_word_is_given_to_no_purchase(harness: Harness, site: Site) -> None:
    purchase = await given_one_of_each(harness)
    item = (await harness.rows("select id from stripe_commands where state = 'parked'"))[0]["id"]
    async with browser(site) as staff:
        page = await staff.get(f"{PARKED}/command-{item}/allocate?purchase_id={purchase.id}")

    assert (page.status_code, "This waits for nobody's word on whose it is" in text_of(page)) == (409, True)
