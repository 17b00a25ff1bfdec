"""Staff deliver, cancel and re-open on pages: once, with a reason, with the truth where it cannot be done."""

import asyncio

import pytest

from purchases.ledger.transitions import Status
from tests.forms import text_of
from tests.integration.purchases.checkouts import (
    given_builder_and_two_addons,
    open_page,
    purchases_of,
    states_of,
    upgrade,
)
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.staff import MIRA, browser, of, refunded, send


async def test_a_purchase_is_delivered_then_reopened_each_with_its_reason(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        done = await send(staff, await staff.get(of(purchase, "deliver")), reason="")
        delivered = await staff.get(done.headers["location"])
        without = await send(staff, await staff.get(of(purchase, "reopen")), reason=" ")
        still = (await harness.purchase(purchase.id)).status
        await send(staff, await staff.get(of(purchase, "reopen")), reason="Wrong workspace")
        page = await staff.get(of(purchase))

    assert "The purchase is marked as delivered." in text_of(delivered)
    assert (without.status_code, still) == (422, Status.DELIVERED)
    assert "fill this in" in without.text.partition('id="reason-error"')[2]
    assert (await harness.purchase(purchase.id)).status is Status.CANCELLED
    assert "staff:mira · Wrong workspace" in text_of(page)


@pytest.mark.parametrize(("back", "asked"), [(None, []), ("true", [PRICE])])
async def test_a_paid_purchase_is_cancelled_with_or_without_its_money(
    harness: Harness, site: Site, back: str | None, asked: list[int]
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        page = await staff.get(of(purchase, "cancel"))
        done = await send(staff, page, reason="by mistake", refund=back)

    assert "Send €499.00 back as well" in text_of(page)
    assert done.headers["location"] == f"{of(purchase)}?done={'cancel-refund' if back else 'cancel'}"
    now = await harness.purchase(purchase.id)
    assert (now.status, [refund.refund_cents for refund in now.refunds]) == (Status.CANCELLED, asked)


@pytest.mark.parametrize(
    ("move", "back", "done", "refunds"),
    [("deliver", None, "deliver", []), ("cancel", None, "cancel", []), ("cancel", "true", "cancel-refund", [PRICE])],
)
async def test_a_form_sent_twice_moves_once_and_says_so_twice(
    harness: Harness, site: Site, move: str, back: str | None, done: str, refunds: list[int]
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        page = await staff.get(of(purchase, move))
        answers = await asyncio.gather(*(send(staff, page, reason="once", refund=back) for _ in range(3)))
        late = await send(staff, page, reason="for another reason", refund=back)

    assert [answer.headers["location"] for answer in answers] == [f"{of(purchase)}?done={done}"] * 3
    history = await harness.rows("select 1 from purchase_transitions where trigger in ('delivered', 'cancelled')")
    assert (len(history), late.status_code) == (1, 409)
    assert "This cannot be done to the purchase now" in text_of(late)
    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == refunds


@pytest.mark.parametrize(("first", "then"), [(None, "true"), ("true", None)], ids=["then with", "then without"])
async def test_a_cancellation_sent_again_with_another_word_on_its_money_is_not_said_to_be_done(
    harness: Harness, site: Site, first: str | None, then: str | None
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        page = await staff.get(of(purchase, "cancel"))
        await send(staff, page, reason="once", refund=first)
        same = await send(staff, page, reason="once", refund=first)
        other = await send(staff, page, reason="once", refund=then)
        await harness.settle_everything()
        later = await send(staff, page, reason="once", refund=first)

    assert same.headers["location"] == later.headers["location"] != of(purchase)
    assert (other.status_code, "This cannot be done to the purchase now" in text_of(other)) == (409, True)
    assert len((await harness.purchase(purchase.id)).refunds) == (1 if first else 0)


async def test_a_cancellation_that_names_other_money_than_remains_is_asked_about_anew(
    harness: Harness, site: Site
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as mira, browser(site, MIRA | {"sub": "noor"}) as noor:
        page = await mira.get(of(purchase, "cancel"))
        await refunded(noor, purchase, how_much="part", amount="100.00", reason="half done")
        asked = await send(mira, page, reason="by mistake", refund="true")
        before = await harness.purchase(purchase.id)
        done = await send(mira, asked)

    assert (asked.status_code, before.status) == (422, Status.PAID)
    assert "Money went back meanwhile, or was asked to. Nothing was changed yet" in text_of(asked)
    assert "Send €399.00 back as well" in text_of(asked)
    assert done.headers["location"] == f"{of(purchase)}?done=cancel-refund"
    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == [10_000, 39_900]


async def test_what_was_paid_since_the_question_is_asked_about_anew_with_its_money(
    harness: Harness, site: Site
) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    async with browser(site) as staff:
        page = await staff.get(of(purchase, "cancel"))
        await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
        await harness.deliver(*await harness.facts())
        asked = await send(staff, page, reason="A long reason, typed once")
        before = await harness.purchase(purchase.id)
        done = await send(staff, asked, refund="true")

    assert "Nothing was paid for it." in text_of(page)
    assert (asked.status_code, before.status) == (409, Status.PAID)
    assert "The purchase has changed since you opened this page Nothing was changed, and no money moved." in text_of(
        asked
    )
    assert "€499.00 was paid for it, which stays unless you send it back." in text_of(asked)
    assert done.headers["location"] == f"{of(purchase)}?done=cancel-refund"
    (line,) = await harness.rows("select reason from purchase_transitions where to_status = 'cancelled'")
    assert line["reason"] == "A long reason, typed once"


async def test_the_page_offers_what_the_table_allows(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        paid, question = text_of(await staff.get(of(purchase))), await staff.get(of(purchase, "cancel"))
        await send(staff, await staff.get(of(purchase, "deliver")))
        delivered = text_of(await staff.get(of(purchase)))
        late = await send(staff, question, reason="too late")

    assert [move in paid for move in ("Mark as delivered …", "Cancel …", "Re-open …", "Refund …")] == [
        True, True, False, True
    ]  # fmt: skip
    assert [move in delivered for move in ("Mark as delivered …", "Cancel …", "Re-open …", "Refund …")] == [
        False, False, True, True
    ]  # fmt: skip
    assert (late.status_code, "a delivered purchase cannot be cancelled" in text_of(late)) == (409, True)


async def test_a_cancellation_during_the_payment_is_asked_about_anew_with_its_reason(
    harness: Harness, site: Site
) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    async with browser(site) as staff:
        page = await staff.get(of(purchase, "cancel"))
        await harness.execute("update workspace_addon_purchases set leased_until = now() + interval '1 minute'")
        busy = await send(staff, page, reason="A long reason, typed once")
        await harness.execute("update workspace_addon_purchases set leased_until = null")
        done = await send(staff, busy)
        twice = await send(staff, page, reason="A long reason, typed once")

    assert (busy.status_code, busy.headers["retry-after"]) == (409, "2")
    assert "The payment is being made just now Nothing was changed, and no money moved. Try again" in text_of(busy)
    assert done.headers["location"] == twice.headers["location"] == f"{of(purchase)}?done=cancel"
    assert (await harness.purchase(purchase.id)).status is Status.CANCELLED
    (line,) = await harness.rows("select reason from purchase_transitions where to_status = 'cancelled'")
    assert line["reason"] == "A long reason, typed once"


async def test_a_cancellation_without_stripes_word_is_asked_about_anew_with_its_reason(
    harness: Harness, site: Site
) -> None:
    await given_builder_and_two_addons(harness)
    await open_page(harness, upgrade(await harness.given_a_workspace(None), "setup"))
    (purchase,) = await purchases_of(harness)
    async with browser(site) as staff:
        await harness.control.fault("close_before", operation="checkout.sessions.*", times=None)
        busy = await send(staff, await staff.get(of(purchase, "cancel")), reason="typed once")
        await harness.control.reset_faults()
        done = await send(staff, busy)

    assert (busy.status_code, "Its checkout is being opened or ended just now" in text_of(busy)) == (409, True)
    assert done.headers["location"] == f"{of(purchase)}?done=cancel"
    (line,) = await harness.rows("select reason from purchase_transitions where to_status = 'cancelled'")
    assert line["reason"] == "typed once"


@pytest.mark.parametrize(
    ("addons", "said"), [(("setup",), "the plan too"), (("setup", "training"), "the plan and 1 other service too")]
)
async def test_that_a_cancellation_ends_the_whole_checkout_is_said_first(
    harness: Harness, site: Site, addons: tuple[str, ...], said: str
) -> None:
    await given_builder_and_two_addons(harness)
    await open_page(harness, upgrade(await harness.given_a_workspace(None), *addons))
    purchase, *others = await purchases_of(harness)
    async with browser(site) as staff:
        page = await staff.get(of(purchase, "cancel"))
        await send(staff, page, reason="by mistake")

    assert f"Cancelling ends that checkout with everything in it, {said}; nothing is charged." in text_of(page)
    assert {(await harness.purchase(one.id)).status for one in (purchase, *others)} == {Status.CANCELLED}
    assert await states_of(harness) == ["expired"]


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (
            "100.00",
            "of which €100.00 went back or was asked to. €399.00 can still be sent back, and stays unless you do.",
        ),
        ("499.00", "of which €499.00 went back or was asked to. Nothing more of it can be sent back."),
    ],
)
async def test_a_cancellation_after_a_refund_names_what_went_back_and_what_stays(
    harness: Harness, site: Site, amount: str, said: str
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        whole = await staff.get(of(purchase, "cancel"))
        await refunded(staff, purchase, how_much="part", amount=amount, reason="half done")
        rest = await staff.get(of(purchase, "cancel"))

    assert "€499.00 was paid for it, which stays unless you send it back." in text_of(whole)
    assert f"€499.00 was paid for it, {said}" in text_of(rest)
    assert "which stays" not in text_of(rest)


async def test_where_no_checkout_is_open_none_is_spoken_of(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    async with browser(site) as staff:
        page = text_of(await staff.get(of(purchase, "cancel")))

    assert "Nothing was paid for it. What is still open at Stripe is closed" in page
    assert "checkout" not in page


@pytest.mark.parametrize(
    ("move", "said"),
    [
        ("cancel", "a cancelled purchase cannot be cancelled again"),
        ("deliver", "a cancelled purchase cannot be marked as delivered"),
        ("reopen", "a cancelled purchase cannot be re-opened"),
    ],
)
async def test_what_is_not_possible_any_more_is_not_asked_about(
    harness: Harness, site: Site, move: str, said: str
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        await send(staff, await staff.get(of(purchase, "cancel")), reason="by mistake", refund="true")
        await harness.settle_everything()
        asked = await staff.get(of(purchase, move))
        without_reason = await staff.post(of(purchase, move), data={"reason": "two\nlines"})

    for page in (asked, without_reason):
        assert page.status_code == 409
        assert said in text_of(page)
        assert "Paid €499.00 Refunded €499.00" in text_of(page)
        assert "stays" not in text_of(page)
