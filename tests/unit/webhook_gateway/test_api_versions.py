"""The same fact, whatever API version an event was rendered in, and whatever version it claims."""

import pytest

from contracts.stripe_facts import InvoicePaymentLinked
from tests.fixtures.expected_facts import CUSTOMER, ERAS, EXPECTED, fact_of, only_in, payload
from tests.fixtures.stripe_events import API_VERSIONS, BASIL, BASIL_SINCE, LEGACY, event, event_in_version


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
    if thing["object"] == "checkout.session" and "invoice_id" in fields and version < "2022-11-15":
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
