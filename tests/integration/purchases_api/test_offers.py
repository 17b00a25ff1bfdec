"""What a workspace can buy and why not: the list says what buying would meet, in every state and after every end."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx
import pytest

from purchases.ledger.rows import Purchase
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases.moves import STAFF, ask_for_a_refund, cancel_it, deliver_it, reopen_it
from tests.integration.purchases_api.conftest import Api
from tests.integration.purchases_api.test_moves import key
from tests.seen import problem_of

Json = dict[str, Any]
Scenario = Callable[[Harness], Awaitable[Purchase]]
ORDER: Final[Json] = {"addon": "setup", "expected_price_cents": PRICE, "expected_currency": "EUR"}
AT_THE_BANK: Final = "pm_card_authenticationRequired"
DECLINED: Final = "pm_card_chargeCustomerFail"


async def at_the_bank(harness: Harness) -> Purchase:
    return await harness.given_a_purchase(AT_THE_BANK)


async def paid(harness: Harness) -> Purchase:
    return await harness.given_a_purchase()


async def delivered(harness: Harness) -> Purchase:
    return await deliver_it(harness, await paid(harness))


async def declined(harness: Harness) -> Purchase:
    return await harness.given_a_purchase(DECLINED)


async def refunded_in_part(harness: Harness) -> Purchase:
    purchase = await paid(harness)
    await ask_for_a_refund(harness, purchase, PRICE - 1)
    await heard(harness)
    return purchase


async def disputed(harness: Harness) -> Purchase:
    purchase = await paid(harness)
    await harness.control.open_dispute(invoice=str(purchase.stripe_invoice_id))
    await heard(harness)
    return purchase


async def cancelled_at_the_bank(harness: Harness) -> Purchase:
    return await cancel_it(harness, await at_the_bank(harness))


async def lapsed_at_the_bank(harness: Harness) -> Purchase:
    purchase = await at_the_bank(harness)
    await harness.execute("update workspace_addon_purchases set started_at = started_at - interval '24 hours'")
    return purchase


async def voided_in_the_dashboard(harness: Harness) -> Purchase:
    purchase = await at_the_bank(harness)
    await harness.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))
    return purchase


async def cancelled_after_payment(harness: Harness) -> Purchase:
    return await cancel_it(harness, await paid(harness))


async def cancelled_and_refunded(harness: Harness) -> Purchase:
    return await cancel_it(harness, await paid(harness), actor=STAFF, refund=True)


async def refunded_by_staff(harness: Harness) -> Purchase:
    purchase = await delivered(harness)
    await ask_for_a_refund(harness, purchase)
    return purchase


async def refunded_in_the_dashboard(harness: Harness) -> Purchase:
    purchase = await paid(harness)
    await harness.control.refund_as_dashboard(invoice=str(purchase.stripe_invoice_id))
    return purchase


async def lost_to_the_bank(harness: Harness) -> Purchase:
    purchase = await disputed(harness)
    (dispute,) = (await harness.control.objects(kind="dispute"))["dispute"]
    await harness.control.close_dispute(dispute["id"], status="lost")
    return purchase


async def re_opened(harness: Harness) -> Purchase:
    return await reopen_it(harness, await delivered(harness))


HOLDS: Final[Mapping[Scenario, str]] = {
    at_the_bank: "already-purchased",
    paid: "already-purchased",
    delivered: "already-purchased",
    refunded_in_part: "already-purchased",
    disputed: "already-purchased",
    declined: "settling",
    cancelled_at_the_bank: "settling",
}
ENDS: Final[Mapping[Scenario, str]] = {
    declined: "failed",
    voided_in_the_dashboard: "failed",
    cancelled_at_the_bank: "cancelled",
    lapsed_at_the_bank: "cancelled",
    cancelled_after_payment: "cancelled",
    cancelled_and_refunded: "cancelled",
    re_opened: "cancelled",
    refunded_by_staff: "refunded",
    refunded_in_the_dashboard: "refunded",
    lost_to_the_bank: "refunded",
}


async def heard(harness: Harness) -> None:
    """Everything that Stripe tells, and everything that is to be done."""
    await harness.settle_everything()
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()


async def offered(owner: httpx.AsyncClient, workspace_id: str) -> tuple[bool, str | None, str | None]:
    """The one add-on: whether it can be bought, why not, and what is in the way."""
    (addon,) = (await owner.get(f"/v1/workspaces/{workspace_id}/addons")).json()["addons"]
    return addon["can_be_bought"], addon["cannot_buy_because"], addon["purchase_id"]


async def bought(owner: httpx.AsyncClient, workspace_id: str) -> httpx.Response:
    return await owner.post(f"/v1/workspaces/{workspace_id}/purchases", json=ORDER, headers=key())


@pytest.mark.parametrize(("scenario", "why"), HOLDS.items(), ids=[scenario.__name__ for scenario in HOLDS])
async def test_what_holds_the_slot_is_named_by_the_list_and_refuses_the_sale(
    harness: Harness, api: Api, scenario: Scenario, why: str
) -> None:
    purchase = await scenario(harness)

    async with api.owner(purchase.workspace_id) as owner:
        listed = await offered(owner, purchase.workspace_id)
        refused = await bought(owner, purchase.workspace_id)

    assert listed == (False, why, str(purchase.id))
    assert (refused.status_code, problem_of(refused), refused.json()["purchase_id"]) == (409, why, str(purchase.id))
    assert len(await harness.requests("invoices.pay")) == 1


@pytest.mark.parametrize(("scenario", "end"), ENDS.items(), ids=[scenario.__name__ for scenario in ENDS])
async def test_after_every_end_it_can_be_bought_again(harness: Harness, api: Api, scenario: Scenario, end: str) -> None:
    purchase = await scenario(harness)
    await heard(harness)
    row = await harness.purchase(purchase.id)
    assert (row.status.value, row.payable) == (end, False)
    await harness.give_card(str(purchase.stripe_customer_id), "pm_card_visa")

    async with api.owner(purchase.workspace_id) as owner:
        before = await offered(owner, purchase.workspace_id)
        again = await bought(owner, purchase.workspace_id)
        after = await offered(owner, purchase.workspace_id)

    assert before == (True, None, None)
    assert (again.status_code, again.json()["status"]) == (201, "paid")
    assert after == (False, "already-purchased", again.json()["id"])


async def test_too_many_declines_stand_against_everything_for_some_minutes(harness: Harness, api: Api) -> None:
    purchase = await declined(harness)
    await harness.settle_everything()
    async with api.owner(purchase.workspace_id) as owner:
        for _ in range(5):
            assert await offered(owner, purchase.workspace_id) == (True, None, None)
            assert (await bought(owner, purchase.workspace_id)).status_code == 402
            await harness.settle_everything()

        refused = await bought(owner, purchase.workspace_id)
        listed = await offered(owner, purchase.workspace_id)
        await harness.execute("update workspace_addon_purchases set declined_at = declined_at - interval '10 minutes'")
        later = await offered(owner, purchase.workspace_id)

    assert (refused.status_code, problem_of(refused)) == (429, "too-many-declines")
    assert 0 < int(refused.headers["retry-after"]) <= 601
    assert listed == (False, "too-many-declines", None)
    assert later == (True, None, None)
