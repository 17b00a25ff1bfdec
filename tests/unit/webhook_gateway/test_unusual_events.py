"""Events with objects where ids were, and with what no rule covers."""

from typing import Any

import pytest

from contracts.stripe_facts import CheckoutSessionCompleted, DisputeChanged, UnrecognisedEvent
from tests.fixtures.expected_facts import CHARGE, CUSTOMER, ERAS, EXPECTED, INTENT, OURS, PURCHASE, fact_of, payload
from tests.fixtures.stripe_events import BASIL, LEGACY, event

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
    found = payload(fact_of({**document, "data": {"object": expanded}}))

    if "needs_customer" in found and era == LEGACY:
        found["needs_customer"] = None  # an expanded intent says more: test_invoice_rules
    assert expected == found


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
        ("charge.dispute.created", {"amount": -49_900}),
        ("charge.dispute.created", {"amount": 0}),
        ("charge.dispute.created", {"status": "arbitration"}),
        ("charge.refunded", {"amount_refunded": -1}),
        ("charge.refunded", {"amount": -1}),
        ("refund.created", {"amount": -49_900}),
        ("refund.created", {"amount": 0}),
        ("refund.created", {"status": "queued"}),
        ("refund.updated", {"status": None}),
        ("refund.failed", {"status": "failed_softly"}),
        ("charge.refund.updated", {"status": "Succeeded"}),
        ("invoice.paid", {"amount_paid": -1}),
        ("invoice.paid", {"status": "settling"}),
        ("invoice.payment_failed", {"payment_intent": {"id": "pi_1", "status": "requires_patience"}}),
        ("invoice_payment.paid", {"amount_paid": -1}),
        ("checkout.session.completed", {"payment_status": "partially_paid"}),
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
def test_what_no_rule_covers_is_published_raw(name: str, change: dict[str, Any]) -> None:
    document = event(name, BASIL)
    document["data"]["object"].update(change)

    assert isinstance(fact_of(document), UnrecognisedEvent)


@pytest.mark.parametrize("request_field", [None, {"id": None, "idempotency_key": None}, "req_old_string"])
def test_the_request_field_may_be_anything(request_field: object) -> None:
    document = {**event("invoice.paid", BASIL), "request": request_field}

    assert not isinstance(fact_of(document), UnrecognisedEvent)
