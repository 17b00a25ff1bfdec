"""Two shapes of the same objects: before and since 2025-03-31.basil."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.control import StripeControl
from tests.fixtures.stripe_shapes import BASIL, LEGACY, SHAPES
from tests.integration.stripe_sandbox.conftest import Buyer, Receiver, buyer_with, client_at, intent_of
from tests.integration.stripe_sandbox.offers import given_a_session

VERSIONS = {LEGACY: "2024-12-18.acacia", BASIL: "2026-06-24.dahlia"}


def paths_of(value: Any, path: str = "") -> set[str]:
    """Every key of `value` as a path."""
    if isinstance(value, list):
        return {found for item in value for found in paths_of(item, f"{path}[]")}
    if not isinstance(value, dict):
        return set()
    steps = {name: f"{path}.{name}" if path else name for name in value}
    return set(steps.values()) | {found for name, step in steps.items() for found in paths_of(value[name], step)}


def is_open(path: str, shape: frozenset[str]) -> bool:
    """Whether a step above `path` is known without anything being known below it."""
    steps = path.split(".")
    above = {".".join(steps[:count]).removesuffix("[]") for count in range(1, len(steps))}
    closed = {
        known for step in above for known in [step] if any(one.startswith((f"{step}.", f"{step}[]")) for one in shape)
    }
    return bool((above & shape) - closed)


@pytest.mark.parametrize(("kind", "era"), sorted(SHAPES))
async def test_no_key_is_made_up(
    buyer: Buyer, client: stripe.StripeClient, control: StripeControl, kind: str, era: str
) -> None:
    invoice = await buyer.paid_invoice()
    await control.refund_as_dashboard(invoice=invoice.id)
    for card in ("pm_card_chargeCustomerFail", "pm_card_authenticationRequired"):
        unlucky = await buyer_with(card, client=client)
        await unlucky.declined(await unlucky.open_invoice())
    session = await given_a_session(client)
    done = await control.complete_session(session.id)
    await control.renew(done["subscription"])

    objects = (await control.objects(kind=kind, version=VERSIONS[era]))[kind]

    shape = SHAPES[kind, era]
    found = set().union(*(paths_of(one) for one in objects))
    assert objects
    assert sorted(path for path in found if path not in shape and not is_open(path, shape)) == []


async def test_a_legacy_client_finds_the_intent_on_the_invoice(
    buyer: Buyer, stripe_url: str, http: stripe.HTTPXClient
) -> None:
    paid = await buyer.paid_invoice()
    old = client_at(stripe_url, http=http, version=VERSIONS[LEGACY])

    invoice = (await old.v1.invoices.retrieve_async(paid.id)).to_dict()

    assert (True, intent_of(paid), None) == (invoice["paid"], invoice["payment_intent"], invoice["subscription"])
    intent = (await old.v1.payment_intents.retrieve_async(intent_of(paid))).to_dict()
    charge = (await old.v1.charges.retrieve_async(invoice["charge"])).to_dict()
    assert paid.id == intent["invoice"] == charge["invoice"]
    assert invoice["lines"]["data"][0]["type"] == "invoiceitem"


async def test_a_client_of_today_finds_it_only_in_the_expanded_payments(buyer: Buyer) -> None:
    paid = await buyer.paid_invoice()

    plain = (await buyer.api.invoices.retrieve_async(paid.id)).to_dict()

    assert not plain.keys() & {"payment_intent", "charge", "paid", "subscription", "payments"}
    assert plain["lines"]["data"][0]["parent"]["type"] == "invoice_item_details"
    assert intent_of(paid)


async def test_a_legacy_client_cannot_expand_payments(buyer: Buyer, stripe_url: str, http: stripe.HTTPXClient) -> None:
    invoice = await buyer.open_invoice()
    old = client_at(stripe_url, http=http, version=VERSIONS[LEGACY])

    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await old.v1.invoices.retrieve_async(invoice.id, {"expand": ["payments"]})


async def test_each_endpoint_gets_its_own_version(buyer: Buyer, control: StripeControl, receiver: Receiver) -> None:
    for version in VERSIONS.values():
        await control.register_endpoint(receiver.url, api_version=version, enabled_events=["invoice.paid"])

    paid = await buyer.paid_invoice()
    assert await control.quiet()

    shown = {event["api_version"]: event["data"]["object"] for event in receiver.events}
    assert set(VERSIONS.values()) == shown.keys()
    assert intent_of(paid) == shown[VERSIONS[LEGACY]]["payment_intent"]
    assert "payment_intent" not in shown[VERSIONS[BASIL]]
    assert len({event["id"] for event in receiver.events}) == 1


async def test_an_old_endpoint_never_hears_of_invoice_payments(
    buyer: Buyer, control: StripeControl, receiver: Receiver
) -> None:
    await control.register_endpoint(receiver.url, api_version=VERSIONS[LEGACY])

    await buyer.paid_invoice()
    assert await control.quiet()

    assert "invoice.paid" in receiver.types()
    assert "invoice_payment.paid" not in receiver.types()
