"""Where an invoice's ids, amounts and reasons are found, and what a payload cannot tell."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.stripe_facts import (
    InvoiceFact,
    InvoicePaid,
    InvoicePaymentActionRequired,
    InvoicePaymentFailed,
    UnrecognisedEvent,
)
from tests.fixtures.expected_facts import model_of
from tests.fixtures.stripe_events import BASIL, LEGACY, body_of, event
from webhook_gateway.stripe_events.normalisers import normalise

ERAS = [LEGACY, BASIL]
INTENT = "pi_3SVq2oLkdIwHu7ix1R2vQy7B"
REDIRECT = "https://hooks.stripe.com/3d_secure_2/hosted?merchant=acct_1SVp0x"
SUBSCRIPTION = "sub_1SVq5rLkdIwHu7ixZ8yX6wV4"


def invoice_fact(name: str, era: str, **changes: Any) -> InvoiceFact:
    document = event(name, era)
    document["data"]["object"].update(changes)
    fact = model_of(normalise(event=document, body=body_of(document), received_at=1_772_620_204.5))
    assert isinstance(fact, InvoiceFact), fact
    return fact


def with_intent(era: str, intent: dict[str, Any]) -> dict[str, Any]:
    if era == LEGACY:
        return {"payment_intent": intent}
    paid = {"id": "inpay_1", "is_default": True, "status": "open", "payment": {"payment_intent": intent}}
    return {"payments": {"object": "list", "data": [paid], "has_more": False}}


@pytest.mark.parametrize("era", ERAS)
def test_a_bundle_names_its_subscription_discount_and_taxes(era: str) -> None:
    """Only exclusive tax is on top of a line's amount; the subscription's metadata is ours too."""
    fact = invoice_fact("bundle.invoice.paid", era)
    addon, plan = fact.lines

    assert (fact.subscription_id, fact.billing_reason) == (SUBSCRIPTION, "subscription_create")
    assert (fact.quittance_instance, fact.workspace_id) == ("local", "ws_northwind")
    assert (addon.amount, addon.discount_cents, addon.tax_cents) == (49900, 4990, 8533)
    assert (plan.amount, plan.discount_cents, plan.tax_cents) == (8900, 0, 0)
    assert plan.price_id == "price_1SVq0yLkdIwHu7ixBuilderYr"
    assert fact.total == sum(line.amount - line.discount_cents + line.tax_cents for line in fact.lines)
    assert (addon.purchase_id, None) == (fact.purchase_id, plan.purchase_id)


@pytest.mark.parametrize("era", ERAS)
def test_a_bundle_says_what_it_sells_and_until_when_the_plan_is_paid(era: str) -> None:
    fact = invoice_fact("bundle.invoice.paid", era)

    assert fact.purchase_ids == ("0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31",)
    assert fact.subscription_period_end == datetime(2027, 3, 4, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("era", ERAS)
def test_a_proration_says_nothing_of_the_paid_period(era: str) -> None:
    """It may credit a year that is given up for months."""
    invoice = event("bundle.invoice.paid", era)["data"]["object"]
    months = invoice["lines"]["data"][1]
    credit = copy.deepcopy(months)
    credit["period"]["end"] += 10_000_000
    (credit if era == LEGACY else credit["parent"]["subscription_item_details"])["proration"] = True

    def period_end(*lines: Any) -> datetime | None:
        return invoice_fact("bundle.invoice.paid", era, lines={"data": [*lines]}).subscription_period_end

    assert period_end(months, credit) == datetime(2027, 3, 4, 10, 30, tzinfo=UTC)
    assert period_end(credit) is None


@pytest.mark.parametrize("era", ERAS)
def test_a_failed_renewal_says_when_stripe_tries_again(era: str) -> None:
    fact = invoice_fact("invoice.payment_failed", era, attempt_count=2, next_payment_attempt=1_772_879_400)

    assert (fact.attempt_count, fact.next_payment_attempt_at) == (2, datetime(2026, 3, 7, 10, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "change",
    [
        {"checkout_session": "cs_test_1"},
        {"checkout_session": {"id": "cs_test_1", "object": "checkout.session"}},
        {"metadata": {"checkout_session_id": "cs_test_1"}},
    ],
)
def test_an_invoice_that_names_a_checkout_session_is_heard(change: dict[str, Any]) -> None:
    assert invoice_fact("invoice.paid", BASIL, **change).checkout_session_id == "cs_test_1"


def test_more_than_twelve_purchases_of_a_bundle_are_read_once_each_from_two_values() -> None:
    metadata = {"purchase_ids": "p_1, p_2,,p_1", "purchase_ids_2": "p_3,p_2"}

    assert invoice_fact("invoice.paid", BASIL, metadata=metadata).purchase_ids == ("p_1", "p_2", "p_3")


def test_both_shapes_of_a_bundle_give_the_same_lines() -> None:
    old, new = (invoice_fact("bundle.invoice.paid", era) for era in ERAS)

    assert old.lines == new.lines


@pytest.mark.parametrize("era", ERAS)
def test_a_subscription_may_be_expanded(era: str) -> None:
    expanded = {"id": SUBSCRIPTION, "object": "subscription", "metadata": {"workspace_id": "ws_of_subscription"}}
    change: dict[str, Any] = {"subscription": expanded}
    if era == BASIL:
        change = {"parent": {"type": "subscription_details", "subscription_details": {"subscription": expanded}}}

    assert invoice_fact("invoice.paid", era, **change).subscription_id == SUBSCRIPTION


def test_the_metadata_of_an_expanded_subscription_fills_what_the_invoice_lacks() -> None:
    expanded = {"id": SUBSCRIPTION, "metadata": {"workspace_id": "ws_x", "quittance_instance": "staging"}}
    fact = invoice_fact("invoice.paid", LEGACY, subscription=expanded, metadata={"quittance_instance": "local"})

    assert (fact.quittance_instance, fact.workspace_id) == ("local", "ws_x")


def test_line_metadata_is_the_last_resort() -> None:
    fact = invoice_fact("invoice.paid", BASIL, metadata={})

    assert ("local", "ws_northwind", fact.lines[0].purchase_id) == (
        fact.quittance_instance,
        fact.workspace_id,
        fact.purchase_id,
    )


def test_lines_of_two_purchases_name_neither_as_the_invoices() -> None:
    lines = event("invoice.paid", BASIL)["data"]["object"]["lines"]
    other = json.loads(json.dumps(lines["data"][0]))
    other["metadata"]["purchase_id"] = "0197e0a4-0000-7d10-8f43-2b1f0a9c6e31"

    fact = invoice_fact("invoice.paid", BASIL, metadata={}, lines={**lines, "data": [*lines["data"], other]})

    assert fact.purchase_id is None


@pytest.mark.parametrize("era", ERAS)
def test_ids_may_be_expanded_objects(era: str) -> None:
    fact = invoice_fact(
        "invoice.paid",
        era,
        customer={"id": "cus_9", "object": "customer", "deleted": True},
        **with_intent(era, {"id": INTENT, "object": "payment_intent", "latest_charge": {"id": "ch_9"}}),
        charge=None,
    )

    assert (fact.customer_id, fact.payment_intent_id, fact.charge_id, fact.key) == ("cus_9", INTENT, "ch_9", "cus_9")


def test_of_several_payments_the_paid_one_counts() -> None:
    def payment(status: str, intent: str, *, default: bool) -> dict[str, Any]:
        return {
            "status": status,
            "is_default": default,
            "amount_paid": 100 if status == "paid" else None,
            "payment": {"type": "payment_intent", "payment_intent": intent},
        }

    payments = [payment("canceled", "pi_1", default=True), payment("paid", "pi_2", default=False)]
    assert invoice_fact("invoice.paid", BASIL, payments={"data": payments}).payment_intent_id == "pi_2"

    payments = [payment("paid", "pi_1", default=False), payment("paid", "pi_2", default=False)]
    fact = invoice_fact("invoice.paid", BASIL, payments={"data": payments})
    assert isinstance(fact, InvoicePaid)
    assert (fact.payment_intent_id, [(one.payment_intent_id, one.amount_paid) for one in fact.paid_by]) == (
        None,
        [("pi_1", 100), ("pi_2", 100)],
    )

    cut = invoice_fact("invoice.paid", BASIL, payments={"data": payments, "has_more": True})
    assert isinstance(cut, InvoicePaid)
    assert cut.paid_by == ()


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("intent", "needs_customer", "code"),
    [
        ({"status": "requires_action"}, True, None),
        ({"status": "requires_confirmation"}, True, None),
        (
            {"status": "requires_payment_method", "last_payment_error": {"code": "authentication_required"}},
            True,
            "authentication_required",
        ),
        (
            {
                "status": "requires_payment_method",
                "last_payment_error": {"code": "card_declined", "decline_code": "insufficient_funds"},
            },
            False,
            "insufficient_funds",
        ),
        ({"status": "requires_payment_method", "last_payment_error": None}, False, None),
        ({"status": "canceled"}, False, None),
        ({"status": "processing"}, None, None),
        ({"status": "succeeded"}, None, None),
    ],
)
def test_only_an_expanded_intent_tells_whether_the_customer_is_needed(
    era: str, intent: dict[str, Any], needs_customer: bool | None, code: str | None
) -> None:
    """SPEC §3, needs the customer; what is neither a yes nor a decline is asked of Stripe (None)."""
    fact = invoice_fact("invoice.payment_failed", era, **with_intent(era, {"id": INTENT, **intent}))

    assert isinstance(fact, InvoicePaymentFailed)
    assert (needs_customer, code) == (fact.needs_customer, fact.failure_code)


@pytest.mark.parametrize("era", ERAS)
def test_the_banks_page_is_read_from_an_expanded_intent(era: str) -> None:
    intent = {"id": INTENT, "status": "requires_action", "next_action": {"redirect_to_url": {"url": REDIRECT}}}

    fact = invoice_fact("invoice.payment_action_required", era, **with_intent(era, intent))

    assert isinstance(fact, InvoicePaymentActionRequired)
    assert fact.action_url == REDIRECT


def test_a_cut_list_of_lines_says_so() -> None:
    lines = event("invoice.paid", BASIL)["data"]["object"]["lines"]

    assert not invoice_fact("invoice.paid", BASIL, lines={**lines, "has_more": True}).lines_complete
    assert not invoice_fact("invoice.paid", BASIL, lines=None).lines_complete


def test_an_old_invoice_that_only_says_paid_is_paid() -> None:
    assert invoice_fact("invoice.paid", LEGACY, status=None, paid=True).status == "paid"


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"currency": None},
        {"total": "49900"},
        {"amount_paid": 499.0},
        {"amount_due": True},
        {"customer": ["cus_1"]},
        {"customer": "c" * 300},
        {"lines": "none"},
        {"lines": {"data": [1]}},
        {"lines": {"data": [{"id": "il_1"}]}},
        {"metadata": []},
        {"metadata": {"purchase_id": 7}},
        {"metadata": {"workspace_id": "a\x00b"}},
        {"status": 1},
        {"billing_reason": {}},
        {"attempt_count": "2"},
        {"next_payment_attempt": 1.5},
        {"checkout_session": 7},
    ],
)
def test_a_shape_that_no_rule_covers_is_published_raw_with_its_reason(change: dict[str, Any]) -> None:
    document = event("invoice.paid", BASIL)
    document["data"]["object"].update(change)
    body = body_of(document)

    fact = model_of(normalise(event=document, body=body, received_at=1_772_620_204.5))

    assert isinstance(fact, UnrecognisedEvent)
    assert body.decode() == fact.body
    assert fact.reason
    assert ("invoice.paid", document["id"]) == (fact.stripe_event_type, fact.stripe_event_id)


@pytest.mark.parametrize(
    ("before", "after", "credit"),
    [(-20_000, 0, 20_000), (-60_000, -10_100, 49_900), (0, 0, 0), (300, 0, 0), (0, 20, 20)],
)
@pytest.mark.parametrize("era", ERAS)
def test_what_credit_paid_is_what_is_gone_of_the_balance(era: str, before: int, after: int, credit: int) -> None:
    fact = invoice_fact("invoice.paid", era, starting_balance=before, ending_balance=after)

    assert isinstance(fact, InvoicePaid)
    assert fact.paid_by_credit == credit


@pytest.mark.parametrize(("era", "expected"), [(LEGACY, 49_900), (BASIL, None)])
def test_paid_outside_of_stripe_is_said_in_old_versions_only(era: str, expected: int | None) -> None:
    changes = {"paid_out_of_band": True, "amount_paid": 0} if era == LEGACY else {}
    fact = invoice_fact("invoice.paid", era, **changes)

    assert isinstance(fact, InvoicePaid)
    assert fact.paid_off_stripe == expected
