"""Each Stripe event gives its fact, the same in the shapes before and since 2025-03-31.basil."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.stripe_facts import (
    ChargeRefunded,
    CheckoutSessionCompleted,
    CheckoutSessionExpired,
    CustomerDeleted,
    DisputeChanged,
    InvoiceDeleted,
    InvoiceMarkedUncollectible,
    InvoicePaid,
    InvoicePaymentActionRequired,
    InvoicePaymentFailed,
    InvoicePaymentLinked,
    InvoiceVoided,
    RefundChanged,
    StripeFact,
    SubscriptionChanged,
    SubscriptionTrialWillEnd,
    UnrecognisedEvent,
)
from tests.fixtures.stripe_events import API_VERSIONS, BASIL, BASIL_SINCE, LEGACY, body_of, event, event_in_version
from webhook_gateway.normalisers import NORMALISERS, normalise

ERAS = [LEGACY, BASIL]
REFERENCES = {
    "charge",
    "customer",
    "default_payment_method",
    "invoice",
    "latest_invoice",
    "payment_intent",
    "setup_intent",
    "subscription",
}
RECEIVED_AT = 1_772_620_204.5
CUSTOMER = "cus_TRk7gFhYqK2m4N"
INVOICE = "in_1SVq2nLkdIwHu7ixOeVhWg2k"
INTENT = "pi_3SVq2oLkdIwHu7ix1R2vQy7B"
CHARGE = "ch_3SVq2oLkdIwHu7ix1xk3GZ0t"
REFUND = "re_3SVq2oLkdIwHu7ix1bZs0XhM"
PURCHASE = "0197e0a4-5b7c-7d10-8f43-2b1f0a9c6e31"
OURS = {"quittance_instance": "local", "workspace_id": "ws_northwind", "purchase_id": PURCHASE}
LINE = {
    "line_id": "il_1SVq2mLkdIwHu7ixyW8cGq4d",
    "amount": 49900,
    "currency": "EUR",
    "price_id": "price_1SVq2jLkdIwHu7ixTzM0aVbC",
    "purchase_id": PURCHASE,
    "addon_slug": "professional-ai-setup",
    "discount_cents": 0,
    "tax_cents": 0,
}
INVOICE_FIELDS: dict[str, Any] = {
    **OURS,
    "object_id": INVOICE,
    "customer_id": CUSTOMER,
    "invoice_id": INVOICE,
    "status": "paid",
    "currency": "EUR",
    "total": 49900,
    "amount_due": 49900,
    "amount_paid": 49900,
    "billing_reason": "manual",
    "subscription_id": None,
    "subscription_period_end": None,
    "checkout_session_id": None,
    "purchase_ids": [],
    "attempt_count": 1,
    "next_payment_attempt_at": None,
    "hosted_invoice_url": "https://invoice.stripe.com/i/acct_1SVp0xLkdIwHu7ix/test_YWNjdF8xU1Zw",
    "lines": [LINE],
    "lines_complete": True,
}
UNPAID = {**INVOICE_FIELDS, "status": "open", "amount_paid": 0}
REFUND_FIELDS = {**OURS, "object_id": REFUND, "customer_id": None, "charge_id": CHARGE, "payment_intent_id": INTENT}
SNAPSHOT = {
    "refund_id": REFUND,
    "amount": 49900,
    "currency": "EUR",
    "status": "succeeded",
    "purchase_id": PURCHASE,
    "requested_id": None,
    "returned_invoice_id": None,
    "failure_reason": None,
}
DISPUTE = "dp_1SbKw2LkdIwHu7ixZ3Tn4GbQ"
EVIDENCE_DUE = "2026-03-29T23:59:59Z"
DISPUTE_FIELDS = {
    "quittance_instance": None,
    "workspace_id": None,
    "purchase_id": None,
    "object_id": DISPUTE,
    "customer_id": None,
    "dispute_id": DISPUTE,
    "charge_id": CHARGE,
    "payment_intent_id": INTENT,
    "amount": 49900,
    "currency": "EUR",
    "reason": "fraudulent",
    "evidence_due_at": EVIDENCE_DUE,
}
SESSION = "cs_test_b1QmN8vR2xTzK5wYpL7sHdF3gJ9aCe4uXo6iBq0rVtEyDnWkMhZlPjSfUa"
SETUP = "cs_test_c1SetUpR2xTzK5wYpL7sHdF3gJ9aCe4uXo6iBq0rVtEyDnWkMhZlPjSfUb"
NOBODYS = {**OURS, "purchase_id": None}
SESSION_FIELDS = {
    **NOBODYS,
    "object_id": SESSION,
    "customer_id": CUSTOMER,
    "session_id": SESSION,
    "mode": "subscription",
    "currency": "EUR",
    "purchase_ids": [PURCHASE],
    "client_reference_id": "ws_northwind",
}
MADE = {
    "subscription_id": "sub_1SVq5rLkdIwHu7ixZ8yX6wV4",
    "invoice_id": "in_1SVr3aLkdIwHu7ixBndl0Inv",
    "setup_intent_id": None,
    "payment_intent_id": None,
    "payment_status": "paid",
}
SAVED: dict[str, Any] = {
    "subscription_id": None,
    "invoice_id": None,
    "setup_intent_id": "seti_1SVr4bLkdIwHu7ixSet0Card",
    "payment_intent_id": None,
    "payment_status": "no_payment_required",
    "currency": None,
    "purchase_ids": [],
}
FAILED_SNAPSHOT = {**SNAPSHOT, "status": "failed", "failure_reason": "expired_or_canceled_card"}
SUBSCRIPTION = "sub_1SVq5rLkdIwHu7ixZ8yX6wV4"
YEAR_END = "2027-03-04T11:21:30Z"
SUBSCRIPTION_FIELDS: dict[str, Any] = {
    **NOBODYS,
    "object_id": SUBSCRIPTION,
    "customer_id": CUSTOMER,
    "subscription_id": SUBSCRIPTION,
    "status": "active",
    "started_at": "2026-03-04T11:21:30Z",
    "current_period_end": YEAR_END,
    "cancel_at_period_end": False,
    "cancel_at": None,
    "canceled_at": None,
    "ended_at": None,
    "cancellation_reason": None,
    "currency": "EUR",
    "items": [
        {
            "item_id": "si_TRkF5gH6jK7lZ8",
            "price_id": "price_1SVq0yLkdIwHu7ixBuilderYr",
            "lookup_key": "quittance:local:builder:year:eur",
            "currency": "EUR",
            "interval": "year",
            "current_period_end": YEAR_END,
        }
    ],
    "latest_invoice_id": "in_1SVr3aLkdIwHu7ixBndl0Inv",
    "default_payment_method_id": "pm_1SVq2hLkdIwHu7ixV3cN8wJm",
    "purchase_ids": [PURCHASE, f"{PURCHASE[:-1]}2", f"{PURCHASE[:-1]}3"],
}
CANCELLING = {
    "cancel_at_period_end": True,
    "cancel_at": YEAR_END,
    "canceled_at": "2026-04-13T11:21:30Z",
    "cancellation_reason": "cancellation_requested",
}
ENDED = {
    "status": "canceled",
    "canceled_at": "2027-03-19T11:21:30Z",
    "ended_at": "2027-03-19T11:21:30Z",
    "cancellation_reason": "payment_failed",
}

EXPECTED: dict[str, tuple[type[StripeFact], dict[str, Any]]] = {
    "invoice.payment_succeeded": (InvoicePaid, INVOICE_FIELDS),
    "invoice.paid": (InvoicePaid, INVOICE_FIELDS),
    "invoice.payment_failed": (InvoicePaymentFailed, {**UNPAID, "needs_customer": None, "failure_code": None}),
    "invoice.payment_action_required": (InvoicePaymentActionRequired, {**UNPAID, "action_url": None}),
    "invoice.voided": (InvoiceVoided, {**UNPAID, "status": "void"}),
    "invoice.deleted": (InvoiceDeleted, {**UNPAID, "status": "draft", "attempt_count": 0, "hosted_invoice_url": None}),
    "invoice.marked_uncollectible": (InvoiceMarkedUncollectible, {**UNPAID, "status": "uncollectible"}),
    "charge.refunded": (
        ChargeRefunded,
        {
            **OURS,
            "object_id": CHARGE,
            "customer_id": CUSTOMER,
            "charge_id": CHARGE,
            "payment_intent_id": INTENT,
            "amount": 49900,
            "amount_refunded": 49900,
            "currency": "EUR",
        },
    ),
    "refund.created": (RefundChanged, {**REFUND_FIELDS, "refund": {**SNAPSHOT, "status": "pending"}}),
    "refund.updated": (RefundChanged, {**REFUND_FIELDS, "refund": SNAPSHOT}),
    "refund.failed": (RefundChanged, {**REFUND_FIELDS, "refund": FAILED_SNAPSHOT}),
    "charge.refund.updated": (RefundChanged, {**REFUND_FIELDS, "refund": FAILED_SNAPSHOT}),
    "charge.dispute.created": (DisputeChanged, {**DISPUTE_FIELDS, "status": "needs_response", "closed": False}),
    "charge.dispute.closed": (DisputeChanged, {**DISPUTE_FIELDS, "status": "lost", "closed": True}),
    "checkout.session.completed": (CheckoutSessionCompleted, {**SESSION_FIELDS, **MADE}),
    "setup.checkout.session.completed": (
        CheckoutSessionCompleted,
        {**SESSION_FIELDS, **SAVED, "object_id": SETUP, "session_id": SETUP, "mode": "setup"},
    ),
    "checkout.session.expired": (CheckoutSessionExpired, SESSION_FIELDS),
    "customer.deleted": (
        CustomerDeleted,
        {**OURS, "purchase_id": None, "object_id": CUSTOMER, "customer_id": CUSTOMER},
    ),
    "customer.subscription.created": (SubscriptionChanged, SUBSCRIPTION_FIELDS),
    "customer.subscription.updated": (SubscriptionChanged, {**SUBSCRIPTION_FIELDS, **CANCELLING}),
    "customer.subscription.deleted": (SubscriptionChanged, {**SUBSCRIPTION_FIELDS, **ENDED}),
    "customer.subscription.paused": (SubscriptionChanged, {**SUBSCRIPTION_FIELDS, "status": "paused"}),
    "customer.subscription.resumed": (SubscriptionChanged, SUBSCRIPTION_FIELDS),
    "customer.subscription.trial_will_end": (
        SubscriptionTrialWillEnd,
        {**SUBSCRIPTION_FIELDS, "status": "trialing"},
    ),
}
ONLY_LEGACY: dict[str, dict[str, Any]] = {
    "invoice": {"payment_intent_id": INTENT, "charge_id": CHARGE},
    "charge": {"invoice_id": INVOICE, "refunds": [SNAPSHOT]},
}
ONLY_BASIL: dict[str, dict[str, Any]] = {
    "invoice": {"payment_intent_id": None, "charge_id": None},
    "charge": {"invoice_id": None, "refunds": []},
}
LEGACY_VERSION = "2024-06-20"
DRAFT = {"payment_intent_id": None, "charge_id": None}
"""Of an invoice that was never finalized, in any version."""
ENVELOPE = {"stripe_event_id", "stripe_event_type", "api_version", "livemode", "occurred_at"}


def fact_of(document: dict[str, Any]) -> StripeFact:
    return normalise(event=document, body=body_of(document), received_at=RECEIVED_AT).fact()


def only_in(version: str, name: str, document: dict[str, Any]) -> dict[str, Any]:
    """What of the fact's fields only this era's payload can tell."""
    if name == "invoice.deleted":
        return DRAFT
    return (ONLY_BASIL if version >= BASIL_SINCE else ONLY_LEGACY).get(document["data"]["object"]["object"], {})


def payload(fact: StripeFact) -> dict[str, Any]:
    dumped: dict[str, Any] = json.loads(fact.model_dump_json())
    return {name: value for name, value in dumped.items() if name not in ENVELOPE}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", EXPECTED)
def test_an_event_gives_its_fact_in_both_shapes(name: str, era: str) -> None:
    document = event(name, era)
    kind, fields = EXPECTED[name]
    only = only_in(LEGACY_VERSION if era == LEGACY else BASIL_SINCE, name, document)

    fact = fact_of(document)

    assert kind is type(fact)
    assert {**fields, **only} == payload(fact)


@pytest.mark.parametrize("era", ERAS)
def test_a_refund_that_we_asked_for_names_our_id(era: str) -> None:
    document = event("refund.created", era)
    document["data"]["object"]["metadata"] |= {"refund_id": "our-refund", "returned_invoice": "in_extra"}

    fact = fact_of(document)

    assert isinstance(fact, RefundChanged)
    assert (fact.refund.requested_id, fact.refund.returned_invoice_id) == ("our-refund", "in_extra")


@pytest.mark.parametrize("name", EXPECTED)
def test_the_envelope_is_repeated(name: str) -> None:
    document = event(name, LEGACY)

    fact = fact_of(document)

    assert (document["id"], document["type"], LEGACY_VERSION, False) == (
        fact.stripe_event_id,
        fact.stripe_event_type,
        fact.api_version,
        fact.livemode,
    )
    assert datetime.fromtimestamp(document["created"], UTC) == fact.occurred_at


def test_an_invoice_payment_joins_the_invoice_to_its_intent() -> None:
    fact = fact_of(event("invoice_payment.paid", BASIL))

    assert isinstance(fact, InvoicePaymentLinked)
    assert (
        fact.invoice_id,
        fact.payment_intent_id,
        fact.charge_id,
        fact.amount_paid,
        fact.currency,
    ) == (INVOICE, INTENT, None, 49900, "EUR")


def test_every_normaliser_has_its_fixtures() -> None:
    assert {*EXPECTED, "invoice_payment.paid"} - {"setup.checkout.session.completed"} == set(NORMALISERS)


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize("name", EXPECTED)
def test_every_api_version_gives_the_same_fact(name: str, version: str) -> None:
    document = event_in_version(name, version)
    thing = document["data"]["object"]
    kind, fields = EXPECTED[name]
    only = only_in(version, name, document)
    if thing["object"] == "charge" and version >= "2022-11-15":
        only = {**only, "refunds": []}
    if thing["object"] == "refund" and "customer" in thing:
        only = {**only, "customer_id": CUSTOMER}
    if name == "checkout.session.completed" and version < "2022-11-15":
        only = {**only, "invoice_id": None}
    if thing["object"] == "subscription" and version < "2022-11-15":
        only = {**only, "cancellation_reason": None}

    fact = fact_of(document)

    assert kind is type(fact)
    assert {**fields, **only} == payload(fact)
    assert version == fact.api_version


@pytest.mark.parametrize("version", [version for version in API_VERSIONS if version >= BASIL_SINCE])
def test_invoice_payments_of_every_version_that_has_them(version: str) -> None:
    assert isinstance(fact_of(event_in_version("invoice_payment.paid", version)), InvoicePaymentLinked)


@pytest.mark.parametrize("era", ERAS)
def test_the_api_version_that_an_event_claims_decides_nothing(era: str) -> None:
    document = event("invoice.paid", era)
    expected = payload(fact_of(document))

    for claimed in ("2011-01-01", "2099-01-01.zebra", None):
        assert expected == payload(fact_of({**document, "api_version": claimed}))


@pytest.mark.parametrize("name", EXPECTED)
def test_both_shapes_at_once_give_the_fact_with_the_ids_of_either(name: str) -> None:
    """An old version that is rendered today also carries the newer keys."""
    new, old = event(name, BASIL), event(name, LEGACY)
    thing = {**new["data"]["object"], **old["data"]["object"]}
    if "lines" in thing:
        lines = zip(new["data"]["object"]["lines"]["data"], old["data"]["object"]["lines"]["data"], strict=True)
        thing["lines"] = {**thing["lines"], "data": [{**newer, **older} for newer, older in lines]}
        thing["parent"] = {"subscription_details": None, "type": "quote_details"}

    assert payload(fact_of(old)) == payload(fact_of({**old, "data": {"object": thing}}))


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", EXPECTED)
def test_every_id_may_be_expanded(name: str, era: str) -> None:
    """An endpoint of an old version, or a backfill that asks for it, may get objects where ids were."""
    document = event(name, era)
    thing = document["data"]["object"]
    expanded = {
        reference: {"id": value, "object": reference} if isinstance(value, str) and reference in REFERENCES else value
        for reference, value in thing.items()
    }

    expected = payload(fact_of(document))
    told = payload(fact_of({**document, "data": {"object": expanded}}))

    if "needs_customer" in told and era == LEGACY:
        told["needs_customer"] = None  # an expanded intent says more: test_invoice_rules
    assert expected == told


def test_an_expanded_charge_says_whose_dispute_it_is() -> None:
    document = event("charge.dispute.created", BASIL)
    charge = {"id": CHARGE, "object": "charge", "customer": CUSTOMER, "payment_intent": INTENT, "metadata": OURS}
    document["data"]["object"].update(charge=charge, payment_intent=None)

    fact = fact_of(document)

    assert isinstance(fact, DisputeChanged)
    assert (fact.customer_id, fact.payment_intent_id, fact.purchase_id) == (CUSTOMER, INTENT, PURCHASE)


def test_an_expanded_subscription_names_the_instance_that_a_session_does_not() -> None:
    document = event("checkout.session.completed", BASIL)
    document["data"]["object"].update(metadata={}, subscription={"id": "sub_1", "metadata": OURS})

    fact = fact_of(document)

    assert isinstance(fact, CheckoutSessionCompleted)
    assert (fact.subscription_id, fact.quittance_instance) == ("sub_1", "local")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("charge.dispute.created", {"id": None}),
        ("charge.dispute.created", {"status": None}),
        ("charge.dispute.created", {"amount": 499.0}),
        ("charge.dispute.closed", {"currency": 978}),
        ("charge.dispute.closed", {"charge": ["ch_1"]}),
        ("checkout.session.completed", {"mode": None}),
        ("checkout.session.completed", {"subscription": 7}),
        ("checkout.session.expired", {"client_reference_id": {}}),
        ("checkout.session.expired", {"metadata": "none"}),
        ("customer.deleted", {"id": ""}),
        ("customer.deleted", {"metadata": {"workspace_id": 1}}),
        ("invoice.deleted", {"total": 10**15}),
        ("customer.subscription.updated", {"status": None}),
        ("customer.subscription.updated", {"status": "hibernating"}),
        ("customer.subscription.updated", {"cancel_at_period_end": "yes"}),
        ("customer.subscription.created", {"start_date": "soon"}),
        ("customer.subscription.created", {"items": {"data": [{"id": "si_1"}]}}),
        ("customer.subscription.created", {"metadata": {"purchase_ids": ["0197e0a4"]}}),
        ("customer.subscription.deleted", {"ended_at": 10**13}),
        ("customer.subscription.deleted", {"id": None}),
    ],
)
def test_what_no_rule_covers_is_told_raw(name: str, change: dict[str, Any]) -> None:
    document = event(name, BASIL)
    document["data"]["object"].update(change)

    assert isinstance(fact_of(document), UnrecognisedEvent)


@pytest.mark.parametrize("request_field", [None, {"id": None, "idempotency_key": None}, "req_old_string"])
def test_the_request_field_may_be_anything(request_field: object) -> None:
    document = {**event("invoice.paid", BASIL), "request": request_field}

    assert not isinstance(fact_of(document), UnrecognisedEvent)
