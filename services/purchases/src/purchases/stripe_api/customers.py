"""One Stripe customer per workspace, and the card that it pays with."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.client import ObjectMissing, OutcomeUnknown, StripeRefused
from purchases.stripe_api.keys import idempotency_key
from purchases.stripe_api.reading import first_with_metadata, request
from purchases.stripe_api.since import created_since
from stripe_reader.customers import SavedCard, read_default_cards, read_running_card, read_saved_card

KEYS_FORGOTTEN_AFTER: Final = timedelta(hours=23)
"""Stripe keeps an idempotency key for 24 hours at least."""


@dataclass(frozen=True, slots=True)
class PayingCustomer:
    """A customer as it is at Stripe now; `payment_method_id` None: nothing to charge."""

    customer_id: str
    payment_method_id: str | None


async def create_customer(
    client: StripeClient, *, instance: str, workspace_id: str, name: str, email: str, first_asked_at: datetime
) -> str:
    """Create the workspace's customer, or find the one that an earlier, lost request made.

    What is created depends on the workspace's id alone, so however many requests race, the key and its parameters
    are the same and Stripe makes one customer; name and address follow in an update. Raises OutcomeUnknown or
    StripeRefused.
    """
    if datetime.now(UTC) - first_asked_at > KEYS_FORGOTTEN_AFTER:
        found = await _find_customer(client, instance=instance, workspace_id=workspace_id, since=first_asked_at)
        if found is not None:
            return found
    attempt = _attempt(first_asked_at)
    try:
        customer_id = await _create(client, instance, workspace_id, step="customer", attempt=attempt)
    except OutcomeUnknown as error:
        if not error.stored:
            raise
        # Stripe repeats that answer for a day: search for what the key did, and else create under another one.
        found = await _find_customer(client, instance=instance, workspace_id=workspace_id, since=first_asked_at)
        customer_id = found or await _create(client, instance, workspace_id, step="customer-again", attempt=attempt)
    await describe_customer(client, customer_id=customer_id, name=name, email=email)
    return customer_id


async def _create(client: StripeClient, instance: str, workspace_id: str, *, step: str, attempt: int) -> str:
    customer = client.v1.customers.create_async(
        params={"metadata": {"quittance_instance": instance, "workspace_id": workspace_id}},
        options={"idempotency_key": idempotency_key(instance, workspace_id, step, attempt)},
    )
    return (await request("customer", customer)).id


async def describe_customer(client: StripeClient, *, customer_id: str, name: str, email: str) -> None:
    """Update the customer's name and its owner's address, which stand on receipts. Raises ObjectMissing.

    An address that Stripe does not take is left out: who has it can buy all the same.
    """
    update, call = client.v1.customers.update_async, "describe_customer"
    try:
        await request(call, update(customer_id, params={"name": name, "email": email}))
    except ObjectMissing:
        raise
    except StripeRefused:
        await request(call, update(customer_id, params={"name": name}))


async def paying_customer(client: StripeClient, *, customer_id: str) -> PayingCustomer | None:
    """Fetch the customer and the card to charge; None when the customer was deleted at Stripe.

    The customer's default, then a running subscription's, where Checkout keeps the card, then the old default source.
    """
    try:
        customer = await request("read_customer", client.v1.customers.retrieve_async(customer_id))
    except ObjectMissing:
        return None
    defaults = customer.read(read_default_cards)
    if defaults is None:
        return None
    card = defaults.payment_method_id or await _card_of_subscription(client, customer_id) or defaults.source_id
    return PayingCustomer(customer_id, card)


async def has_card(client: StripeClient, *, customer_id: str, payment_method_id: str) -> bool:
    """Return whether the card is still the customer's; one that is detached can never be charged again."""
    try:
        card = client.v1.customers.payment_methods.retrieve_async(customer_id, payment_method_id)
        await request("read_card", card)
    except ObjectMissing:
        return False
    return True


async def _card_of_subscription(client: StripeClient, customer_id: str) -> str | None:
    """Return the newest running subscription's card: Stripe lists the newest first, and without those that are over."""
    running = client.v1.subscriptions.list_async(params={"customer": customer_id, "limit": 100})
    newest = (await request("list_subscriptions", running)).entries("data")
    return next(filter(None, (subscription.read(read_running_card) for subscription in newest)), None)


async def card_of_setup(client: StripeClient, *, setup_intent_id: str) -> SavedCard | None:
    """Fetch what a setup intent saved; None for one that did not succeed. Raises ObjectMissing, or UnknownShape."""
    intent = client.v1.setup_intents.retrieve_async(setup_intent_id, params={"expand": ["payment_method"]})
    return (await request("read_setup_intent", intent)).read(read_saved_card)


async def make_default(client: StripeClient, *, customer_id: str, payment_method_id: str) -> None:
    """Set the card that the customer's invoices are charged to from now on."""
    default: Any = {"invoice_settings": {"default_payment_method": payment_method_id}}
    await request("default_card", client.v1.customers.update_async(customer_id, default))


async def _find_customer(client: StripeClient, *, instance: str, workspace_id: str, since: datetime) -> str | None:
    wanted = {"quittance_instance": instance, "workspace_id": workspace_id}
    made = client.v1.customers.list_async(params={"created": created_since(since), "limit": 100})
    customer = await first_with_metadata(wanted, "list_customers", made)
    return customer.id if customer else None


async def find_lost_customer(client: StripeClient, *, instance: str, workspace_id: str, back: timedelta) -> str | None:
    """Return the workspace's customer of the last `back`, of which nothing is stored here; None without one."""
    return await _find_customer(client, instance=instance, workspace_id=workspace_id, since=datetime.now(UTC) - back)


def _attempt(first_asked_at: datetime) -> int:
    """Return the attempt's millisecond: a customer that was deleted at Stripe is made anew, under another key."""
    return int(first_asked_at.timestamp() * 1000)
