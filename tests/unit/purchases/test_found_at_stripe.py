"""What purchases fetches from Stripe is what the event of the same object says: facts, a subscription, an invoice."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
import stripe

from contracts.stripe_facts import InvoicePaid, SubscriptionChanged
from contracts.stripe_facts.words import DISPUTE_STATUSES, FINAL_DISPUTE_STATUSES
from purchases.batch.fetched_facts import dispute_fact, invoice_fact, refund_fact
from purchases.ledger.money import is_final
from purchases.stripe_api.fetch import fetch_invoice
from purchases.stripe_api.paid_invoices import paid_invoice
from purchases.stripe_api.reading import Fetched, json_of
from purchases.stripe_api.snapshots import snapshot_of
from purchases.stripe_api.values import InvoiceState
from stripe_reader.invoices import read_invoice
from stripe_reader.payments import read_paid_by
from stripe_reader.subscriptions import read_subscription
from tests.fixtures.expected_facts import ENVELOPE, EXPECTED, fact_of
from tests.fixtures.stripe_events import API_VERSIONS, BASIL, event, event_in_version

FOUND: Final = {"invoice": invoice_fact, "refund": refund_fact, "dispute": dispute_fact}
PAID: Final = ("invoice.paid", "invoice.payment_succeeded")
NAMES: Final = [
    name for name in EXPECTED if name in PAID or name.startswith(("refund", "charge.refund.", "charge.dis"))
]
SUBSCRIPTIONS: Final = [name for name, (kind, _) in EXPECTED.items() if kind is SubscriptionChanged]


def fetched(document: Mapping[str, Any]) -> Fetched:
    """The event's object as Stripe's client gives it."""
    return Fetched(json_of(stripe.StripeObject.construct_from(document["data"]["object"], key=None)))


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_found_is_the_fact_of_the_event(name: str, version: str) -> None:
    document = event_in_version(name, version)

    expected, found = fact_of(document), FOUND[document["data"]["object"]["object"]](fetched(document))

    assert (type(expected), expected.model_dump(exclude=ENVELOPE)) == (type(found), found.model_dump(exclude=ENVELOPE))


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize("name", SUBSCRIPTIONS)
def test_a_subscription_is_the_same_from_its_event_and_fetched(name: str, version: str) -> None:
    document = event_in_version(name, version)
    fact = fact_of(document)
    assert isinstance(fact, SubscriptionChanged)

    value = fetched(document).read(read_subscription)

    for prices in ((), (fact.items[0].price_id,)):
        from_event = snapshot_of(fact, prices=prices, instance="local")
        assert from_event == snapshot_of(value, prices=prices, instance="local")


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize("name", [*PAID, "bundle.invoice.paid"])
def test_a_paid_invoice_is_the_same_from_its_event_and_fetched(name: str, version: str) -> None:
    document = event_in_version(name, version)
    fact = fact_of(document)
    assert isinstance(fact, InvoicePaid)

    thing = fetched(document)

    assert paid_invoice(fact, fact) == paid_invoice(thing.read(read_invoice), thing.read(read_paid_by))


@pytest.mark.parametrize("status", sorted(DISPUTE_STATUSES))
def test_a_dispute_is_closed_by_its_status_whatever_event_shows_it(status: str) -> None:
    for name in ("charge.dispute.created", "charge.dispute.closed"):
        document = event(name, BASIL)
        document["data"]["object"]["status"] = status
        fact: Any = fact_of(document)
        assert fact.closed is (status in FINAL_DISPUTE_STATUSES) is is_final(status)


class OneAnswer(stripe.HTTPClient):
    """Stripe's API that gives one answer to everything."""

    name = "one answer"

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__()
        self._answer = json.dumps(answer).encode()

    async def request_async(self, *_: Any, **__: Any) -> tuple[bytes, int, Mapping[str, str]]:
        return self._answer, 200, {}


def open_invoice(*statuses: str) -> dict[str, Any]:
    """An open invoice with an open payment for each status of an intent, none of them the default one."""
    payments = [
        {
            "id": f"inpay_{number}",
            "object": "invoice_payment",
            "invoice": "in_1",
            "currency": "eur",
            "status": "open",
            "is_default": False,
            "payment": {
                "type": "payment_intent",
                "payment_intent": {
                    "id": f"pi_{number}",
                    "object": "payment_intent",
                    "status": status,
                    "last_payment_error": {"code": "card_declined"} if status == "requires_payment_method" else None,
                },
            },
        }
        for number, status in enumerate(statuses, start=1)
    ]
    thing: dict[str, Any] = event("invoice.payment_failed", BASIL)["data"]["object"]
    return {**thing, "payments": {"object": "list", "data": payments, "has_more": False, "url": "/v1/invoice_payments"}}


@pytest.mark.parametrize(
    ("statuses", "state", "intent_id"),
    [
        (["requires_payment_method", "processing"], InvoiceState.OPEN_PROCESSING, None),
        (["processing", "requires_payment_method"], InvoiceState.OPEN_PROCESSING, None),
        (["requires_payment_method", "requires_action"], InvoiceState.OPEN_NEEDS_CUSTOMER, None),
        (["requires_payment_method", "requires_payment_method"], InvoiceState.OPEN_DECLINED, None),
        (["requires_payment_method"], InvoiceState.OPEN_DECLINED, "pi_1"),
    ],
)
async def test_of_two_open_payments_the_one_that_may_bring_money_counts(
    statuses: list[str], state: InvoiceState, intent_id: str | None
) -> None:
    """The first one was taken, and an invoice was voided while a bank had its money."""
    client = stripe.StripeClient("sk_test_x", http_client=OneAnswer(open_invoice(*statuses)))

    finding = await fetch_invoice(client, "in_1")

    assert (finding.state, finding.payment_intent_id) == (state, intent_id)
