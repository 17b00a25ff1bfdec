"""Something for each kind of job to do: what it will have done when it is carried out, and the ids that it is about."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from contracts import AddonState, PlanPrice, PlanState
from contracts.stripe_facts import CheckoutSessionCompleted
from purchases.customers.save_card import save_card
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import PRICE, RETURN_URL, Harness
from tests.integration.purchases.left_job import LeftToDo
from tests.integration.purchases.left_to_do_of_subscriptions import (
    a_checkout_paid_unheard,
    a_first_payment_that_nobody_finished,
    a_next_charge_to_fetch,
    a_period_that_ended,
    a_renewal_that_failed,
    a_subscription_to_end,
    cancelled_unheard,
    one_subscription_too_many,
    subscribed_before_it_was_registered,
    subscribed_unheard,
)
from tests.integration.purchases.moves import ask_for_a_refund
from tests.integration.purchases.test_customer_credit import bought_with

AT_THE_BANK: Final = "pm_card_authenticationRequired"


def _of(harness: Harness, purchase: Purchase, **ids: str) -> dict[str, str]:
    known = {
        "purchase": str(purchase.id),
        "invoice": purchase.stripe_invoice_id,
        "intent": purchase.stripe_payment_intent_id,
        "workspace": purchase.workspace_id,
        "addon": str(purchase.plan_addon_id),
    }
    return {name: str(value) for name, value in known.items()} | ids


async def _charge(harness: Harness) -> str:
    return str((await harness.control.objects(kind="charge"))["charge"][-1]["id"])


def _status(harness: Harness, purchase: Purchase) -> Callable[[], Awaitable[Status]]:
    async def seen() -> Status:
        return (await harness.purchase(purchase.id)).status

    return seen


async def paid_unheard(harness: Harness) -> LeftToDo:
    """At the bank, where the buyer said yes."""
    purchase = await harness.given_a_purchase(AT_THE_BANK)
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    return LeftToDo(ids=_of(harness, purchase), seen=_status(harness, purchase), expected=Status.PAID)


async def an_invoice_to_void(harness: Harness) -> LeftToDo:
    purchase = await harness.given_a_purchase(AT_THE_BANK)
    await harness.put(purchase, Status.CANCELLED, knows_invoice=True)

    async def seen() -> Any:
        invoice = await harness.client.v1.invoices.retrieve_async(str(purchase.stripe_invoice_id))
        return (await harness.purchase(purchase.id)).payable, invoice.status

    return LeftToDo(ids=_of(harness, purchase), seen=seen, expected=(False, "void"))


async def refunded_unheard(harness: Harness) -> LeftToDo:
    purchase = await harness.given_a_purchase()
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    ids = _of(harness, purchase, charge=await _charge(harness))
    return LeftToDo(ids=ids, seen=_status(harness, purchase), expected=Status.REFUNDED)


async def paid_and_forgotten(harness: Harness) -> LeftToDo:
    """The row is as it was before the payment."""
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)
    today = str(datetime.now(UTC).date())
    return LeftToDo(ids=_of(harness, purchase, today=today), seen=_status(harness, purchase), expected=Status.PAID)


async def paid_a_while_ago_and_forgotten(harness: Harness) -> LeftToDo:
    """Longer than its event takes."""
    await harness.control.advance(seconds=-600)
    return await paid_and_forgotten(harness)


async def a_refund_of_nobody_knows_what(harness: Harness) -> LeftToDo:
    """It is parked, since the payment is not known."""
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, Status.PENDING)
    since = len(await harness.control.events())
    await harness.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    await harness.deliver(*await harness.facts(since=since))
    assert await harness.parked()
    ids = _of(harness, purchase, charge=await _charge(harness))
    return LeftToDo(ids=ids, seen=_status(harness, purchase), expected=Status.REFUNDED)


async def money_to_return(harness: Harness) -> LeftToDo:
    """The buyer paid at the bank what was cancelled."""
    purchase = await harness.given_a_purchase(AT_THE_BANK)
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    await harness.put(purchase, Status.CANCELLED)
    await harness.deliver(*await harness.facts())
    while not await harness.jobs("return_payment"):
        assert await harness.loop.do_one()

    async def seen() -> Any:
        return [(one.kind, one.refund_cents) for one in (await harness.purchase(purchase.id)).refunds]

    return LeftToDo(ids=_of(harness, purchase), seen=seen, expected=[("return", PRICE)])


async def a_requested_refund(harness: Harness) -> LeftToDo:
    purchase = await harness.given_a_purchase()
    asked = await ask_for_a_refund(harness, purchase, 10_000)

    async def seen() -> Any:
        found = (await harness.control.objects(kind="refund")).get("refund", [])
        return [one["amount"] for one in found], [one.status for one in (await harness.purchase(purchase.id)).refunds]

    ids = _of(harness, purchase, refund=str(asked.refund.id))
    return LeftToDo(ids=ids, seen=seen, expected=([10_000], ["succeeded"]))


async def credit_to_return(harness: Harness) -> LeftToDo:
    """The customer's balance paid all of it."""
    purchase = await bought_with(harness, PRICE)
    asked = await ask_for_a_refund(harness, purchase)

    async def seen() -> Any:
        return [(one.kind, one.status) for one in (await harness.purchase(purchase.id)).refunds]

    ids = _of(harness, purchase, refund=str(asked.refund.id))
    return LeftToDo(ids=ids, seen=seen, expected=[("credit", "succeeded")])


async def paid_by_nobody_knows_what(harness: Harness) -> LeftToDo:
    """Staff marked the invoice as paid outside of Stripe; the event does not say so."""
    purchase = await harness.given_a_purchase(AT_THE_BANK)
    await harness.control.mark_paid(str(purchase.stripe_invoice_id))
    await harness.deliver(*await harness.facts())

    async def seen() -> bool:
        (payment,) = (await harness.purchase(purchase.id)).payments
        return payment.is_explained

    return LeftToDo(ids=_of(harness, purchase), seen=seen, expected=True)


async def a_card_to_adopt(harness: Harness) -> LeftToDo:
    workspace = await harness.given_a_workspace(None)
    page = await save_card(
        harness.context,
        workspace_id=workspace,
        return_url=RETURN_URL,
    )
    await harness.control.complete_session(page.id)
    await harness.deliver(*[one for one in await harness.facts() if isinstance(one, CheckoutSessionCompleted)])
    (row,) = await harness.rows("select stripe_customer_id from workspaces")

    async def seen() -> bool:
        customer: Any = await harness.client.v1.customers.retrieve_async(row["stripe_customer_id"])
        return customer.invoice_settings.default_payment_method is not None

    return LeftToDo(ids={"workspace": workspace}, seen=seen, expected=True)


async def another_name(harness: Harness) -> LeftToDo:
    """For an add-on that was sold."""
    purchase = await harness.given_a_purchase()
    state = AddonState(
        addon_id=purchase.plan_addon_id,
        sequence=2,
        occurred_at=datetime.now(UTC),
        slug="setup",
        name="Setup, new",
        price_cents=PRICE,
        currency="EUR",
        is_active=True,
        sort_order=0,
    )
    await harness.deliver(state)

    async def seen() -> str:
        return str((await harness.control.objects(kind="product"))["product"][-1]["name"])

    return LeftToDo(ids=_of(harness, purchase), seen=seen, expected="Setup, new")


async def a_price_to_make(harness: Harness) -> LeftToDo:
    prices = (PlanPrice(interval="month", currency="EUR", price_cents=900),)
    now = datetime.now(UTC)
    await harness.deliver(
        PlanState(plan="builder", sequence=1, occurred_at=now, name="Builder", caps={}, prices=prices)
    )

    async def seen() -> Any:
        made = (await harness.control.objects(kind="price")).get("price", [])
        return [one["unit_amount"] for one in made]

    return LeftToDo(ids={}, seen=seen, expected=[900])


async def days_to_compare(harness: Harness) -> LeftToDo:
    async def seen() -> bool:
        kinds = {row["kind"] for row in await harness.rows("select kind from stripe_commands where state = 'open'")}
        return {"sweep_reach", "sweep_subscriptions", "sweep_periods"} <= kinds

    return LeftToDo(ids={}, seen=seen, expected=True)


LEFT_TO_DO: Final[Mapping[str, Callable[[Harness], Awaitable[LeftToDo]]]] = {
    "settle": paid_unheard,
    "void": an_invoice_to_void,
    "look_at_charge": refunded_unheard,
    "look_at_invoice": paid_and_forgotten,
    "identify": a_refund_of_nobody_knows_what,
    "return_payment": money_to_return,
    "refund": a_requested_refund,
    "return_credit": credit_to_return,
    "look_at_payment": paid_by_nobody_knows_what,
    "adopt_card": a_card_to_adopt,
    "rename_product": another_name,
    "provision_plan": a_price_to_make,
    "sweep": days_to_compare,
    "sweep_day": paid_and_forgotten,
    "sweep_reach": paid_a_while_ago_and_forgotten,
    "sweep_subscriptions": cancelled_unheard,
    "sweep_subscription": cancelled_unheard,
    "sweep_periods": a_period_that_ended,
    "settle_checkout": a_checkout_paid_unheard,
    "look_at_subscription": subscribed_unheard,
    "look_at_renewal": a_renewal_that_failed,
    "fetch_next_charge": a_next_charge_to_fetch,
    "adopt_subscriptions": subscribed_before_it_was_registered,
    "compare_subscriptions": one_subscription_too_many,
    "end_subscription": a_subscription_to_end,
    "end_unfinished": a_first_payment_that_nobody_finished,
}
"""By kind of job."""
