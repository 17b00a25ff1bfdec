"""Is it ours, is it new, how much of it went back."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchases.ledger.money import (
    COUNTS,
    NO_LINE,
    Mismatch,
    Money,
    Sold,
    judge,
    newer_refund_status,
    our_lines,
    refunded_cents,
)
from purchases.ledger.transitions import Status
from purchases.stripe_api.values import Line, PaidInvoice

LINE = Line(amount=49_900, currency="eur", price_id="price_1", purchase_id="p1")
SOLD = Sold(purchase_id="p1", price_cents=49_900, currency="EUR", price_id="price_1", customer_id="cus_1")


def invoice(*lines: Line, customer_id: str | None = "cus_1") -> PaidInvoice:
    return PaidInvoice(
        invoice_id="in_1", customer_id=customer_id, amount_paid=49_900, currency="eur", lines=lines or (LINE,)
    )


def line(**changes: Any) -> Line:
    members: dict[str, Any] = {"amount": 49_900, "currency": "eur", "price_id": None, "purchase_id": None}
    return Line(**(members | changes))


def our_line(*, sold: Sold, invoice: PaidInvoice) -> Line | Mismatch:
    return our_lines(sold=[sold], invoice=invoice)[sold.purchase_id]


def test_our_line_is_known_by_its_metadata() -> None:
    named = line(purchase_id="p1")
    assert named == our_line(sold=SOLD, invoice=invoice(line(amount=900), named))


def test_our_line_is_else_known_by_its_price() -> None:
    priced = line(price_id="price_1")
    assert priced == our_line(sold=SOLD, invoice=invoice(line(price_id="price_2"), priced))


def test_its_metadata_counts_more_than_its_price() -> None:
    named = line(purchase_id="p1", amount=49_900)
    assert named == our_line(sold=SOLD, invoice=invoice(line(price_id="price_1", amount=1), named))


def test_a_line_that_names_another_purchase_is_not_ours_whatever_its_price() -> None:
    assert isinstance(our_line(sold=SOLD, invoice=invoice(line(price_id="price_1", purchase_id="p2"))), Mismatch)


def _sold(purchase_id: str, *, price_id: str = "price_1") -> Sold:
    return Sold(purchase_id=purchase_id, price_cents=49_900, currency="EUR", price_id=price_id, customer_id="cus_1")


def test_two_purchases_never_share_a_line() -> None:
    priced, plan = line(price_id="price_1"), line(price_id="price_plan", amount=900)
    found = our_lines(sold=[_sold("p2"), _sold("p1")], invoice=invoice(plan, priced))
    assert {"p1": priced, "p2": NO_LINE} == found


def test_a_line_that_names_a_purchase_is_not_taken_by_the_price_of_another() -> None:
    named, priced = line(price_id="price_1", purchase_id="p2"), line(price_id="price_1")
    assert {"p1": priced, "p2": named} == our_lines(sold=[_sold("p1"), _sold("p2")], invoice=invoice(named, priced))


def test_of_two_lines_at_one_price_the_one_with_the_right_amount_pays() -> None:
    right = line(price_id="price_1")
    assert right == our_line(sold=_sold("p1"), invoice=invoice(line(price_id="price_1", amount=1), right))


def test_money_for_other_lines_makes_a_payment_shared() -> None:
    mine = line(purchase_id="p1")
    assert invoice(mine, line(amount=900)).paid_more_than(mine)
    assert not invoice(mine, line(amount=0)).paid_more_than(mine)
    assert invoice(mine, mine).paid_more_than(mine)


def test_without_a_price_of_its_own_a_purchase_has_no_line_by_price() -> None:
    sold = Sold(purchase_id="p1", price_cents=49_900, currency="EUR", price_id=None, customer_id="cus_1")
    assert isinstance(our_line(sold=sold, invoice=invoice(line())), Mismatch)


@pytest.mark.parametrize(
    ("paid", "reason"),
    [
        (invoice(customer_id="cus_2"), "paid by another customer: cus_2"),
        (invoice(customer_id=None), "paid by another customer: None"),
        (invoice(line(purchase_id="p1", amount=49_800)), "the line has 49800 EUR, sold for 49900 EUR"),
        (invoice(line(purchase_id="p1", currency="usd")), "the line has 49900 USD, sold for 49900 EUR"),
        (invoice(line(purchase_id="p2")), "the invoice has no line for this purchase"),
    ],
)
def test_money_of_another_customer_amount_currency_or_line_is_not_ours(paid: PaidInvoice, reason: str) -> None:
    assert Mismatch(reason) == our_line(sold=SOLD, invoice=paid)


def test_an_invoice_without_lines_has_none_of_ours() -> None:
    empty = PaidInvoice(invoice_id="in_1", customer_id="cus_1", amount_paid=0, currency="eur", lines=())
    assert isinstance(our_line(sold=SOLD, invoice=empty), Mismatch)


def test_what_was_paid_for_a_line_is_less_its_discount_plus_its_tax() -> None:
    assert line(discount_cents=4_990, tax_cents=8_533).paid_cents == 49_900 - 4_990 + 8_533


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("slot_free", [True, False])
def test_money_is_new_once(status: Status, slot_free: bool) -> None:
    assert Money.DUPLICATE is judge(
        status=status, seen_invoices=["in_0", "in_1"], invoice_id="in_1", slot_free=slot_free
    )


@pytest.mark.parametrize(
    ("status", "slot_free", "expected"),
    [
        (Status.PENDING, True, Money.SETTLES),
        (Status.PENDING, False, Money.SETTLES),
        (Status.FAILED, True, Money.SETTLES),
        (Status.FAILED, False, Money.TO_RETURN),
        (Status.CANCELLED, True, Money.TO_RETURN),
        (Status.PAID, True, Money.TO_RETURN),
        (Status.DELIVERED, True, Money.TO_RETURN),
        (Status.REFUNDED, True, Money.TO_RETURN),
    ],
)
def test_new_money_settles_or_goes_back(status: Status, slot_free: bool, expected: Money) -> None:
    assert expected is judge(status=status, seen_invoices=["in_0"], invoice_id="in_1", slot_free=slot_free)


REPORTED = ("pending", "requires_action", "succeeded", "failed", "canceled")


@pytest.mark.parametrize("final", ["failed", "canceled"])
@pytest.mark.parametrize("reported", REPORTED)
def test_nothing_takes_a_failed_refund_back(final: str, reported: str) -> None:
    assert final == newer_refund_status(known=final, reported=reported)


@pytest.mark.parametrize("order", list(permutations(["pending", "succeeded", "failed"])))
def test_a_refunds_status_does_not_depend_on_the_order_of_its_events(order: tuple[str, ...]) -> None:
    status: str | None = None
    for reported in order:
        status = newer_refund_status(known=status, reported=reported)
    assert status == "failed"


def test_a_late_pending_does_not_take_success_back() -> None:
    assert newer_refund_status(known="succeeded", reported="pending") == "succeeded"


@pytest.mark.parametrize("status", REPORTED)
def test_the_first_word_on_a_refund_is_believed(status: str) -> None:
    assert status == newer_refund_status(known=None, reported=status)


def test_pending_and_succeeded_refunds_count_and_failed_ones_do_not() -> None:
    assert frozenset({"pending", "requires_action", "succeeded"}) == COUNTS
    refunds = [("pending", 1), ("succeeded", 20), ("failed", 300), ("canceled", 4_000)]
    assert refunded_cents(refunds=refunds, charge_refunded_cents=0) == 21


def test_the_charges_cumulative_figure_stands_in_for_refunds_not_yet_seen() -> None:
    assert refunded_cents(refunds=[("succeeded", 200)], charge_refunded_cents=500) == 500
    assert refunded_cents(refunds=[("succeeded", 700)], charge_refunded_cents=500) == 700


def test_once_a_refund_has_failed_the_cumulative_figure_says_nothing() -> None:
    assert refunded_cents(refunds=[("failed", 500)], charge_refunded_cents=500) == 0


@given(st.lists(st.tuples(st.sampled_from(REPORTED), st.integers(1, 10_000))), st.integers(0, 50_000))
def test_what_went_back_never_depends_on_the_order_of_the_refunds(
    refunds: list[tuple[str, int]], of_charge: int
) -> None:
    forwards = refunded_cents(refunds=refunds, charge_refunded_cents=of_charge)
    assert forwards == refunded_cents(refunds=reversed(refunds), charge_refunded_cents=of_charge)
    assert forwards >= sum(amount for status, amount in refunds if status in COUNTS)
