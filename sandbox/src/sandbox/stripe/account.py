"""The account: every object, by kind, and the settings that a test may turn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from sandbox.stripe import versions
from sandbox.stripe.adjustments import Coupon, Discount, TaxRate
from sandbox.stripe.checkout.model import CheckoutSession, SetupIntent
from sandbox.stripe.clock import Clock
from sandbox.stripe.dispute_model import Dispute
from sandbox.stripe.invoice_model import Invoice, InvoiceItem, InvoicePayment
from sandbox.stripe.model import (
    BalanceTransaction,
    Charge,
    Customer,
    Event,
    PaymentIntent,
    PaymentMethod,
    Price,
    Product,
    Refund,
    Thing,
    WebhookEndpoint,
)
from sandbox.stripe.portal.model import PortalConfiguration, PortalSession
from sandbox.stripe.refusals import missing
from sandbox.stripe.subscriptions.model import Subscription

T = TypeVar("T", bound=Thing)

DAY: Final = 24 * 3600


class Collection(Generic[T]):
    """The objects of one kind, oldest first, with an index for each field of `indexed` (which never change)."""

    def __init__(self, *, kind: str, indexed: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}
        self._index: dict[str, dict[Any, dict[str, None]]] = {name: {} for name in indexed}

    def put(self, thing: T) -> None:
        """Add `thing`, or replace the one with its id."""
        if thing.id not in self._things:
            for name, index in self._index.items():
                index.setdefault(getattr(thing, name), {})[thing.id] = None
        self._things[thing.id] = thing

    def remove(self, thing: T) -> None:
        """Forget `thing`."""
        del self._things[thing.id]
        for name, index in self._index.items():
            index[getattr(thing, name)].pop(thing.id, None)

    def find(self, id: str) -> T | None:  # noqa: A002 - Stripe's word
        """Look `id` up."""
        return self._things.get(id)

    def get(self, id: str, *, param: str = "id") -> T:  # noqa: A002
        """Look `id` up. Raises Stripe's resource_missing, which names `param`."""
        thing = self._things.get(id)
        if thing is None:
            raise missing(kind=self.kind, id=id, param=param)
        return thing

    def newest_first(self) -> Iterator[T]:
        """Return all objects, in the order of Stripe's lists."""
        return reversed(self._things.values())

    def where(self, field_name: str, value: str | None) -> list[T]:
        """Return the objects whose indexed field has `value`, newest first."""
        ids = self._index[field_name].get(value, {})
        return [self._things[id_] for id_ in reversed(ids)]

    def __len__(self) -> int:
        return len(self._things)


@dataclass(kw_only=True)
class Settings:
    """What a test may turn; times in seconds.

    `invoice_authentication`: the status in which an invoice's intent waits for the customer. Stripe has been
    seen with both: `requires_action`, or `requires_payment_method` with `authentication_required`.
    `refund_delay`: when a pending or failing refund settles; None leaves it to `/_sandbox/refunds/{id}/settle`.
    `draft_seconds`: how long a renewal's invoice stays a draft. `dunning_schedule`: pauses before each retry of a
    renewal that failed; `dunning_end`: what the subscription is after the last one: cancel, unpaid or past_due.
    """

    public_url: str = "http://127.0.0.1:12111"
    api_version: str = versions.CURRENT
    retry_schedule: tuple[float, ...] = (0.2, 0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8, 8)
    webhook_timeout: float = 10
    webhook_concurrency: int = 16
    refund_delay: float | None = 0.5
    invoice_authentication: str = "requires_action"
    draft_seconds: int = 3600
    dunning_schedule: tuple[int, ...] = (3 * DAY, 5 * DAY, 7 * DAY)
    dunning_end: str = "cancel"


@dataclass(kw_only=True)
class Account:
    """One Stripe account in memory, with its ties to the world.

    `on_event` hears of each event as it is recorded; `is_delivered` says whether every endpoint has it;
    `later` does something after so many seconds, and so does `alarm`, for which nobody waits.
    """

    settings: Settings = field(default_factory=Settings)
    on_event: Callable[[Event], None] = lambda _: None
    is_delivered: Callable[[Event], bool] = lambda _: True
    later: Callable[[float, Callable[[], None]], None] = lambda _seconds, _act: None
    alarm: Callable[[float, Callable[[], None]], None] = lambda _seconds, _act: None
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every object, webhook endpoints too; it is real time again."""
        self.clock.reset()
        self.customers = Collection[Customer](kind="customer")
        self.balance_transactions = Collection[BalanceTransaction](
            kind="customer_balance_transaction", indexed=("customer",)
        )
        self.payment_methods = Collection[PaymentMethod](kind="payment_method")
        self.products = Collection[Product](kind="product")
        self.prices = Collection[Price](kind="price", indexed=("product",))
        self.invoice_items = Collection[InvoiceItem](kind="invoiceitem", indexed=("customer",))
        self.invoices = Collection[Invoice](kind="invoice", indexed=("customer",))
        self.invoice_payments = Collection[InvoicePayment](
            kind="invoice_payment", indexed=("invoice", "payment_intent")
        )
        self.payment_intents = Collection[PaymentIntent](kind="payment_intent", indexed=("customer", "invoice"))
        self.charges = Collection[Charge](kind="charge", indexed=("customer", "payment_intent"))
        self.refunds = Collection[Refund](kind="refund", indexed=("charge", "payment_intent"))
        self.disputes = Collection[Dispute](kind="dispute", indexed=("charge", "payment_intent"))
        self.checkout_sessions = Collection[CheckoutSession](kind="checkout.session", indexed=("customer",))
        self.setup_intents = Collection[SetupIntent](kind="setup_intent", indexed=("customer",))
        self.subscriptions = Collection[Subscription](kind="subscription", indexed=("customer",))
        self.portal_configurations = Collection[PortalConfiguration](kind="billing_portal.configuration")
        self.portal_sessions = Collection[PortalSession](kind="billing_portal.session")
        self.coupons = Collection[Coupon](kind="coupon")
        self.discounts = Collection[Discount](kind="discount")
        self.tax_rates = Collection[TaxRate](kind="tax_rate")
        self.webhook_endpoints = Collection[WebhookEndpoint](kind="webhook_endpoint")
        self.events = Collection[Event](kind="event")
        self.collections: dict[str, Collection[Any]] = {
            held.kind: held for held in vars(self).values() if isinstance(held, Collection)
        }

    def save(self, thing: T) -> T:
        """Put `thing` into its collection."""
        self.collections[thing.kind].put(thing)
        return thing

    def look_up(self, id: str) -> Thing | None:  # noqa: A002
        """Find an object of any kind by its id, as `expand` needs it."""
        return next((found for held in self.collections.values() if (found := held.find(id))), None)
