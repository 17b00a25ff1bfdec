"""What the product itself asks Stripe for: its own functions, in the order in which its handlers call them."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from stripe import StripeClient

from catalog.stripe_setup.portal import provision_portal
from purchases.checkout import store as checkouts
from purchases.checkout.rows import CheckoutSession
from purchases.checkout.start_checkout import OPEN_FOR
from purchases.ledger import store as ledger
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.stripe_api import checkout, customers, subscriptions
from purchases.stripe_api import fetch as look
from purchases.stripe_api.catalog.plan_prices import SoldPlan, provide_plan_price
from purchases.stripe_api.catalog.portal import offer_prices, open_portal
from purchases.stripe_api.catalog.prices import name_product, provide_price
from purchases.stripe_api.client import CardDeclined, CustomerNeeded
from purchases.stripe_api.invoices import Charging, close_invoice
from purchases.stripe_api.money_back import ChargeIds, refunds_of
from purchases.stripe_api.values import SoldAddon
from sandbox.stripe.control import StripeControl

INSTANCE = "test"
ADDON = "Professional AI Setup"
PAGE = "https://app.example/back"


@dataclass(kw_only=True)
class Shop:
    """One workspace with a customer at Stripe, and purchases as the ledger has them."""

    client: StripeClient
    control: StripeControl
    customer: str = ""
    card: str = ""

    async def open(self) -> None:
        """Make the customer; and find it again as after a lost answer."""
        for asked in (datetime.now(UTC), datetime.now(UTC) - timedelta(hours=30)):
            self.customer = await customers.create_customer(
                self.client,
                instance=INSTANCE,
                workspace_id="ws-1",
                name="Acme",
                email="olga@example.com",
                first_asked_at=asked,
            )

    async def use(self, card: str) -> None:
        """Save a card of Stripe's tests as the default; the customer does this, not the product."""
        method = await self.client.v1.payment_methods.attach_async(card, {"customer": self.customer})
        await self.client.v1.customers.update_async(
            self.customer, {"invoice_settings": {"default_payment_method": method.id}}
        )
        paying = await customers.paying_customer(self.client, customer_id=self.customer)
        assert paying is not None
        assert paying.payment_method_id is not None
        self.card = paying.payment_method_id

    def purchase(self) -> Purchase:
        """A row that was just committed."""
        return Purchase(
            id=uuid.uuid4(),
            workspace_id="ws-1",
            plan_addon_id=uuid.uuid4(),
            addon_slug="professional-ai-setup",
            addon_name=ADDON,
            price_cents=49_900,
            currency="EUR",
            status=Status.PENDING,
            payable=True,
            stripe_customer_id=self.customer,
            started_at=datetime.now(UTC),
        )

    def charging(self, purchase: Purchase) -> Charging:
        """The steps of its charge."""
        return Charging(self.client, instance=INSTANCE, sale=ledger.sale_of(purchase))

    async def open_invoice(self, purchase: Purchase) -> str:
        """Draft, item, finalize: the payment intent."""
        charging = self.charging(purchase)
        purchase.stripe_invoice_id = await charging.draft(customer_id=self.customer, payment_method_id=self.card)
        price = await provide_price(self.client, instance=INSTANCE, sold=_sold(purchase), asked_for=purchase.id)
        await charging.add_item(customer_id=self.customer, invoice_id=purchase.stripe_invoice_id, price_id=price)
        intent = await charging.finalize(invoice_id=purchase.stripe_invoice_id)
        assert intent is not None
        return intent

    async def pay(self, purchase: Purchase) -> None:
        """Charge the saved card."""
        await self.charging(purchase).pay(invoice_id=str(purchase.stripe_invoice_id), payment_method_id=self.card)


async def trade(shop: Shop) -> None:
    """Buying, being declined, asking the bank, settling, voiding, refunds."""
    await shop.open()
    await _buy(shop)
    await _be_declined(shop)
    await _ask_the_bank(shop)
    await _give_up(shop)
    await open_pages(shop)
    await shop.use("pm_card_visa")
    await run_the_plan(shop)


async def _buy(shop: Shop) -> None:
    await shop.use("pm_card_visa")
    purchase = shop.purchase()
    intent = await shop.open_invoice(purchase)
    await shop.pay(purchase)
    await look.find_invoice(shop.client, ledger.sale_of(purchase), instance=INSTANCE)
    await look.invoice_of_intent(shop.client, intent)
    refund = await shop.control.refund_as_dashboard(payment_intent=intent, amount=900)
    await refunds_of(shop.client, ChargeIds(payment_intent_id=None, charge_id=refund["charge"]))
    await refunds_of(shop.client, ChargeIds(payment_intent_id=intent, charge_id=None))
    await look.fetch_charge(shop.client, refund["charge"])


async def _be_declined(shop: Shop) -> None:
    await shop.use("pm_card_chargeCustomerFail")
    purchase = shop.purchase()
    await shop.open_invoice(purchase)
    try:
        await shop.pay(purchase)
    except CardDeclined:
        await close_invoice(shop.client, invoice_id=str(purchase.stripe_invoice_id), status="open")


async def _ask_the_bank(shop: Shop) -> None:
    await shop.use("pm_card_authenticationRequired")
    purchase = shop.purchase()
    intent = await shop.open_invoice(purchase)
    try:
        await shop.pay(purchase)
    except CustomerNeeded:
        await shop.charging(purchase).confirm(
            intent_id=intent, payment_method_id=shop.card, return_url="https://app.example/billing"
        )


async def _give_up(shop: Shop) -> None:
    """A draft whose id was never stored is found by its metadata, and deleted."""
    purchase = shop.purchase()
    draft = await shop.charging(purchase).draft(customer_id=shop.customer, payment_method_id=shop.card)
    finding = await look.find_invoice(shop.client, ledger.sale_of(purchase), instance=INSTANCE)
    assert finding.invoice_id == draft
    await close_invoice(shop.client, invoice_id=draft, status="draft")


def _sold(purchase: Purchase) -> SoldAddon:
    return SoldAddon(
        addon_id=purchase.plan_addon_id,
        slug=purchase.addon_slug,
        name=purchase.addon_name,
        price_cents=purchase.price_cents,
        currency=purchase.currency,
    )


async def open_pages(shop: Shop) -> None:
    """Checkout that saves a card, Checkout that sells the plan with an add-on, looked for and expired."""
    await checkout.open_setup(
        shop.client, instance=INSTANCE, workspace_id="ws-1", customer_id=shop.customer, return_url=PAGE
    )
    plan = await shop.client.v1.prices.create_async(
        {
            "currency": "eur",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Builder"},
        }
    )
    purchase = shop.purchase()
    addon = await provide_price(shop.client, instance=INSTANCE, sold=_sold(purchase), asked_for=purchase.id)
    now = datetime.now(UTC)
    row = CheckoutSession(
        id=uuid.uuid4(),
        workspace_id="ws-1",
        stripe_customer_id=shop.customer,
        plan="builder",
        stripe_price_id=plan.id,
        purchase_ids=[str(purchase.id)],
        success_url=PAGE,
        cancel_url=PAGE,
        attempt=1,
        expires_at=now + OPEN_FOR,
        created_at=now,
    )
    opened = await checkout.open_subscription(
        shop.client, instance=INSTANCE, sale=checkouts.sale_of(row), addon_prices=[addon]
    )
    assert await checkout.fetch_checkout(shop.client, checkouts.sale_of(row)) == opened
    assert (await checkout.expire_session(shop.client, opened.session_id)).status == "expired"
    await name_product(shop.client, instance=INSTANCE, addon_id=purchase.plan_addon_id, name="Setup, new")


async def _edit_the_price(shop: Shop, product_id: str) -> None:
    """Its Stripe price is made, found again, and offered in the portal."""
    sold = SoldPlan(
        plan="builder", name="Builder", product_id=product_id, interval="month", currency="EUR", price_cents=1_200
    )
    for _ in range(2):
        found = await provide_plan_price(shop.client, instance=INSTANCE, sold=sold, asked_for="plan-price:1200:1")
    await offer_prices(shop.client, instance=INSTANCE, products={found.product_id: [found.price_id]})


async def run_the_plan(shop: Shop) -> None:
    """A subscription that the product reads, lists, sends its owner to the portal for, ends and pays back."""
    product = await shop.client.v1.products.create_async({"name": "Builder"})
    plan = await shop.client.v1.prices.create_async(
        {"currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}, "product": product.id}
    )
    made = await shop.client.v1.subscriptions.create_async({"customer": shop.customer, "items": [{"price": plan.id}]})
    ours: dict[str, Any] = {"instance": INSTANCE, "prices": [plan.id]}
    seen = await subscriptions.fetch_subscription(shop.client, made.id, **ours)
    assert seen is not None
    listed = await subscriptions.subscriptions_of(shop.client, shop.customer, **ours)
    running = [one async for one in subscriptions.running_at(shop.client, plan.id, **ours)]
    assert [one.snapshot for one in (*listed, *running)] == [seen.snapshot] * 2
    await provision_portal(client=shop.client, instance=INSTANCE, products={product.id: [plan.id]}, say=lambda _: None)
    await _edit_the_price(shop, product.id)
    for cancel in ("at_period_end", "immediately"):
        page = await open_portal(
            shop.client, instance=INSTANCE, customer_id=shop.customer, return_url=PAGE, cancel=cancel
        )
        assert page is not None
    await subscriptions.end_subscription(shop.client, made.id)
    (payment,) = await subscriptions.plan_payments(shop.client, made.id)
    for _ in range(2):
        await subscriptions.pay_back(
            shop.client, payment, instance=INSTANCE, workspace_id="ws-1", subscription_id=made.id, attempt=1
        )
