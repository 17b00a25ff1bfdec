"""One reader: a webhook's object and the same object fetched from Stripe say the same, in every API version."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final, get_type_hints

import pytest
import stripe

from stripe_reader.charges import read_charge
from stripe_reader.checkout_sessions import read_checkout_session, read_made
from stripe_reader.customers import read_customer
from stripe_reader.disputes import read_dispute
from stripe_reader.invoice_payments import read_invoice_payment
from stripe_reader.invoices import read_invoice
from stripe_reader.payments import read_failure
from stripe_reader.refunds import read_refund
from stripe_reader.stripe_json import Json
from stripe_reader.subscriptions import read_subscription, read_subscription_schedule
from stripe_reader.value import Value
from tests.fixtures.expected_facts import EXPECTED, fact_of
from tests.fixtures.stripe_events import API_VERSIONS, BASIL_SINCE, event_in_version

READERS: Final[Mapping[str, Callable[[Json], Value]]] = {
    "invoice": read_invoice,
    "invoice_payment": read_invoice_payment,
    "charge": read_charge,
    "refund": read_refund,
    "dispute": read_dispute,
    "checkout.session": read_checkout_session,
    "customer": read_customer,
    "subscription": read_subscription,
    "subscription_schedule": read_subscription_schedule,
}
"""By Stripe's own name of the kind of object."""
OTHER: Final = {
    "metadata": {
        "quittance_instance": "other",
        "workspace_id": "ws_other",
        "purchase_id": "0197e0a4-ffff-7d10-8f43-2b1f0a9c6e31",
        "purchase_ids": "0197e0a4-ffff-7d10-8f43-2b1f0a9c6e31",
        "checkout_session_id": "cs_other",
    },
    "customer": "cus_other",
    "invoice": "in_other",
    "payment_intent": "pi_other",
    "latest_charge": "ch_other",
    "status": "succeeded",
}
"""What an expanded object says, everywhere something else than the object that shows it."""
REFERENCES: Final = (
    "charge",
    "customer",
    "default_payment_method",
    "invoice",
    "latest_invoice",
    "payment_intent",
    "setup_intent",
    "subscription",
)
EVENTS: Final = [
    (name, version)
    for version in API_VERSIONS
    for name in (*EXPECTED, "invoice_payment.paid")
    if name != "invoice_payment.paid" or version >= BASIL_SINCE
]


def reading(thing: Json) -> Callable[[Json], Value]:
    return READERS[thing["object"]]


def fetched(thing: Json) -> dict[str, Any]:
    """The object as Stripe's client gives it back."""
    answer: dict[str, Any] = stripe.StripeObject.construct_from(dict(copy.deepcopy(thing)), key=None).to_dict()
    return answer


def expanded(thing: Json) -> dict[str, Any]:
    """The object with every reference shown in full."""
    shown = {name: {"id": value, **OTHER} for name, value in thing.items() if name in REFERENCES and value}
    return {**thing, **shown}


def keeps(plain: Any, now: Any) -> bool:
    """Whether nothing that was said is said otherwise."""
    if plain is None:
        return True
    return bool(now[: len(plain)] == plain) if isinstance(plain, tuple) else bool(now == plain)


@pytest.mark.parametrize(("name", "version"), EVENTS)
def test_an_object_that_is_fetched_gives_the_fact_of_its_event(name: str, version: str) -> None:
    document = event_in_version(name, version)
    thing = document["data"]["object"]

    fact = fact_of(document)
    value = reading(thing)(fetched(thing))

    assert fact == type(fact).model_validate({**fact.model_dump(), **vars(value)}, from_attributes=True)
    assert vars(value).keys() == get_type_hints(type(value)).keys()
    assert vars(value).keys() <= type(fact).model_fields.keys()


@pytest.mark.parametrize(("name", "version"), EVENTS)
def test_what_is_expanded_adds_and_changes_nothing(name: str, version: str) -> None:
    thing = event_in_version(name, version)["data"]["object"]

    plain, now = reading(thing)(thing), reading(thing)(expanded(thing))

    assert {field for field, value in vars(plain).items() if not keeps(value, getattr(now, field))} == set()


@pytest.mark.parametrize("read", [read_made, read_failure])
def test_what_is_read_apart_is_added_and_changed_as_little(read: Callable[[Json], Value]) -> None:
    name = "checkout.session.completed" if read is read_made else "invoice.payment_failed"
    for version in API_VERSIONS:
        thing = event_in_version(name, version)["data"]["object"]
        plain, now = read(thing), read(expanded(thing))
        assert [field for field, value in vars(plain).items() if not keeps(value, getattr(now, field))] == []
