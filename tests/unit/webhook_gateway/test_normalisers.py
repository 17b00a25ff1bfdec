"""Each Stripe event gives its fact, the same in the shapes before and since 2025-03-31.basil."""

from datetime import UTC, datetime

import pytest

from contracts.stripe_facts import InvoicePaymentLinked, RefundChanged
from tests.fixtures.expected_facts import ERAS, EXPECTED, INTENT, INVOICE, LEGACY_VERSION, fact_of, only_in, payload
from tests.fixtures.stripe_events import BASIL, BASIL_SINCE, LEGACY, event
from webhook_gateway.stripe_events.normalisers import NORMALISERS


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
