"""Staff send money back on pages: after a question in words, once, with the truth where it cannot be done."""

import asyncio
from typing import Any

import pytest

from purchases.ledger.transitions import Status
from tests.forms import form_to, text_of
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.staff import MIRA, browser, of, refunded, send

Json = dict[str, Any]


async def test_a_refund_in_part_is_asked_about_in_words_first(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        form = await staff.get(of(purchase, "refund"))
        review = await send(staff, form, step="review", how_much="part", amount="100", reason="half done")
        before = (await harness.purchase(purchase.id)).refunds
        changed = await send(staff, review, step="change")
        done = await send(staff, review, step="do")
        page = await staff.get(done.headers["location"])

    assert "Send €100.00 back?" in text_of(review)
    assert "Goes back €100.00 Remains after that €399.00 Reason half done" in text_of(review)
    assert before == []
    kept = form_to(changed, of(purchase, "refund")).filled()
    assert (kept["how_much"], kept["amount"], kept["reason"]) == (["part"], ["100"], ["half done"])
    assert "The refund is asked for." in text_of(page)
    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == [10_000]


@pytest.mark.parametrize(("language", "amount"), [("de", "100,50"), ("en", "100.50"), ("de", "100.5")])
async def test_a_refunds_amount_is_read_as_the_visitors_language_writes_it(
    harness: Harness, site: Site, language: str, amount: str
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site, None, **{"Accept-Language": language}) as staff:
        await refunded(staff, purchase, how_much="part", amount=amount, reason="half done")

    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == [10_050]


async def test_all_that_remains_is_refunded_and_there_is_nothing_left(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        await refunded(staff, purchase, how_much="part", amount="99.00", reason="a part")
        await refunded(staff, purchase, how_much="all", reason="the rest")
        await harness.settle_everything()
        again = await staff.get(of(purchase, "refund"))

    now = await harness.purchase(purchase.id)
    assert (now.status, [refund.refund_cents for refund in now.refunds]) == (Status.REFUNDED, [9_900, 40_000])
    assert (again.status_code, "Everything was refunded already" in text_of(again)) == (409, True)


@pytest.mark.parametrize("cancelled", [False, True])
async def test_only_of_a_sale_is_it_said_that_all_of_it_back_ends_it(
    harness: Harness, site: Site, cancelled: bool
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        if cancelled:
            await send(staff, await staff.get(of(purchase, "cancel")), reason="by mistake")
        form = await staff.get(of(purchase, "refund"))
        review = text_of(await send(staff, form, step="review", how_much="all", reason="by mistake"))

    assert "Nothing is left then" in review
    assert ("counts as refunded, and the workspace can buy the service again" in review) is not cancelled


@pytest.mark.parametrize(("currency", "example"), [("EUR", "499.00"), ("JPY", "49900")])
async def test_the_amount_that_the_form_names_as_an_example_can_be_typed(
    harness: Harness, site: Site, currency: str, example: str
) -> None:
    purchase = await harness.given_a_purchase()
    for table in ("workspace_addon_purchases", "purchase_payments"):
        await harness.execute(f"update {table} set currency = :currency", currency=currency)
    async with browser(site) as staff:
        form = await staff.get(of(purchase, "refund"))
        review = await send(staff, form, step="review", how_much="part", amount=example, reason="all the same")

    assert f"In major units, for example {example}" in text_of(form)
    assert (review.status_code, "Remains after that" in text_of(review)) == (200, True)


async def test_money_that_came_after_a_cancellation_is_not_called_paid_twice(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.put(purchase, Status.CANCELLED, knows_invoice=True)
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    async with browser(site) as staff:
        page = text_of(await staff.get(of(purchase)))

    assert "€499.00 (not for the sale: goes back by itself)" in page
    assert "Money back €499.00 (payment returned)" in page


async def test_a_refund_sent_twice_or_twice_at_once_is_one_refund(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        form = await staff.get(of(purchase, "refund"))
        review = await send(staff, form, step="review", how_much="part", amount="10.00", reason="once")
        answers = await asyncio.gather(*(send(staff, review, step="do") for _ in range(3)))
        answers.append(await send(staff, review, step="do"))
        said = await staff.get(answers[-1].headers["location"])
        other = await send(staff, review, step="do", agreed="2000")

    assert sorted(answer.headers["location"] for answer in answers) == [
        f"{of(purchase)}?done=refund",
        *[f"{of(purchase)}?done=refund-once"] * 3,
    ]
    assert "This form was sent before, and its refund was asked for then, once" in text_of(said)
    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == [1_000]
    assert (other.status_code, "The first refund stands; this one was not made." in text_of(other)) == (422, True)


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"amount": "10,00"}, "amount", "written like 499 or 499.00"),
        ({"amount": ""}, "amount", "written like 499 or 499.00"),
        ({"amount": "1.234"}, "amount", "EUR has 2 decimals"),
        ({"amount": "0"}, "amount", "too little"),
        ({"reason": " "}, "reason", "fill this in"),
        ({"reason": "two\nlines"}, "reason", "one line"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_refund_is_said_at_its_field_and_nothing_typed_is_lost(
    harness: Harness, site: Site, typed: Json, field: str, said: str
) -> None:
    purchase = await harness.given_a_purchase()
    right = {"how_much": "part", "amount": "10.00", "reason": "typed"}
    async with browser(site) as staff:
        page = await send(staff, await staff.get(of(purchase, "refund")), step="review", **(right | typed))

    assert page.status_code == 422
    assert said in page.text.partition(f'id="{field}-error"')[2].partition("</p>")[0]
    other = "reason" if field == "amount" else "amount"
    assert form_to(page, of(purchase, "refund")).filled()[other] == [right[other]]


async def test_an_amount_beside_all_that_remains_is_asked_about_and_not_passed_over(
    harness: Harness, site: Site
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        page = await send(staff, await staff.get(of(purchase, "refund")), step="review", amount="100", reason="half")
        review = await send(staff, page, step="review", how_much="part")

    assert page.status_code == 422
    assert "Choose “A part” above, or leave this empty." in page.text.partition('id="amount-error"')[2]
    kept = form_to(page, of(purchase, "refund")).filled()
    assert (kept["how_much"], kept["amount"], kept["reason"]) == (["all"], ["100"], ["half"])
    assert "Send €100.00 back?" in text_of(review)


async def test_more_than_remains_is_refused_before_and_after_the_question(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        form = await staff.get(of(purchase, "refund"))
        at_once = await send(staff, form, step="review", how_much="part", amount="500", reason="much")
        review = await send(staff, form, step="review", how_much="all", reason="all")
        await refunded(staff, purchase, how_much="part", amount="1.00", reason="meanwhile")
        late = await send(staff, review, step="do")

    for page in (at_once, late):
        assert page.status_code == 409
        assert "That is more than remains of the payment" in text_of(page)
        assert "Nothing was changed, and no money moved." in text_of(page)
    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == [100]


async def test_a_refund_that_nobody_was_asked_about_is_asked_about(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        without_key = await staff.post(
            of(purchase, "refund"), data={"step": "do", "agreed": "100", "reason": "x", "key": "1"}
        )

    assert (without_key.status_code, (await harness.purchase(purchase.id)).refunds) == (200, [])


async def test_going_back_after_a_refund_asks_about_no_second_one(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        form = await staff.get(of(purchase, "refund"))
        review = await send(staff, form, step="review", how_much="part", amount="10.00", reason="once")
        await send(staff, review, step="do")
        back = [
            await send(staff, form, step="review", how_much="part", amount="20.00", reason="twice"),
            await send(staff, review, step="change"),
        ]

    assert {answer.headers["location"] for answer in back} == {f"{of(purchase)}?done=refund-once"}
    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == [1_000]


async def test_a_refund_after_a_colleagues_is_told_how_it_stands_and_sends_nothing(
    harness: Harness, site: Site
) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as mira, browser(site, MIRA | {"sub": "noor"}) as noor:
        review = await send(mira, await mira.get(of(purchase, "refund")), step="review", how_much="all", reason="all")
        await refunded(noor, purchase, how_much="all", reason="all")
        at_once = await send(mira, review, step="do")
        await harness.settle_everything()
        later = await send(mira, review, step="do")

    for page in (at_once, later):
        assert page.status_code == 409
        assert "Everything was refunded already" in text_of(page)
        assert "staff:noor · all" in text_of(page)
    (refund,) = (await harness.purchase(purchase.id)).refunds
    assert (refund.refund_cents, refund.requested_by) == (PRICE, "staff:noor")


async def test_a_colleague_between_two_submits_of_one_form_changes_nothing_of_it(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as mira, browser(site, MIRA | {"sub": "noor"}) as noor:
        form = await mira.get(of(purchase, "refund"))
        review = await send(mira, form, step="review", how_much="part", amount="10.00", reason="a part")
        await send(mira, review, step="do")
        await refunded(noor, purchase, how_much="all", reason="the rest")
        again = await send(mira, review, step="do")

    assert again.headers["location"] == f"{of(purchase)}?done=refund-once"
    assert [refund.refund_cents for refund in (await harness.purchase(purchase.id)).refunds] == [1_000, 48_900]
