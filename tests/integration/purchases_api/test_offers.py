"""What a workspace can buy and why not: the list says what buying would meet, in every state and after every end."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx
import pytest

from purchases.ledger.rows import Purchase
from tests.integration.purchases.harness import PRICE, World
from tests.integration.purchases.moves import STAFF, ask_for_a_refund, cancel_it, deliver_it, reopen_it
from tests.integration.purchases_api.conftest import Api
from tests.integration.purchases_api.test_moves import key
from tests.seen import problem_of

Json = dict[str, Any]
Story = Callable[[World], Awaitable[Purchase]]
ORDER: Final[Json] = {"addon": "setup", "expected_price_cents": PRICE, "expected_currency": "EUR"}
AT_THE_BANK: Final = "pm_card_authenticationRequired"
DECLINED: Final = "pm_card_chargeCustomerFail"


async def at_the_bank(world: World) -> Purchase:
    return await world.given_a_purchase(AT_THE_BANK)


async def paid(world: World) -> Purchase:
    return await world.given_a_purchase()


async def delivered(world: World) -> Purchase:
    return await deliver_it(world, await paid(world))


async def declined(world: World) -> Purchase:
    return await world.given_a_purchase(DECLINED)


async def refunded_in_part(world: World) -> Purchase:
    purchase = await paid(world)
    await ask_for_a_refund(world, purchase, PRICE - 1)
    await heard(world)
    return purchase


async def disputed(world: World) -> Purchase:
    purchase = await paid(world)
    await world.control.open_dispute(invoice=str(purchase.stripe_invoice_id))
    await heard(world)
    return purchase


async def cancelled_at_the_bank(world: World) -> Purchase:
    return await cancel_it(world, await at_the_bank(world))


async def lapsed_at_the_bank(world: World) -> Purchase:
    purchase = await at_the_bank(world)
    await world.execute("update workspace_addon_purchases set started_at = started_at - interval '24 hours'")
    return purchase


async def voided_in_the_dashboard(world: World) -> Purchase:
    purchase = await at_the_bank(world)
    await world.client.v1.invoices.void_invoice_async(str(purchase.stripe_invoice_id))
    return purchase


async def cancelled_after_payment(world: World) -> Purchase:
    return await cancel_it(world, await paid(world))


async def cancelled_and_refunded(world: World) -> Purchase:
    return await cancel_it(world, await paid(world), actor=STAFF, refund=True)


async def refunded_by_staff(world: World) -> Purchase:
    purchase = await delivered(world)
    await ask_for_a_refund(world, purchase)
    return purchase


async def refunded_in_the_dashboard(world: World) -> Purchase:
    purchase = await paid(world)
    await world.control.refund_as_dashboard(invoice=str(purchase.stripe_invoice_id))
    return purchase


async def lost_to_the_bank(world: World) -> Purchase:
    purchase = await disputed(world)
    (dispute,) = (await world.control.objects(kind="dispute"))["dispute"]
    await world.control.close_dispute(dispute["id"], status="lost")
    return purchase


async def re_opened(world: World) -> Purchase:
    return await reopen_it(world, await delivered(world))


HOLDS: Final[Mapping[Story, str]] = {
    at_the_bank: "already-purchased",
    paid: "already-purchased",
    delivered: "already-purchased",
    refunded_in_part: "already-purchased",
    disputed: "already-purchased",
    declined: "settling",
    cancelled_at_the_bank: "settling",
}
ENDS: Final[Mapping[Story, str]] = {
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


async def heard(world: World) -> None:
    """Everything that Stripe tells, and everything that is to be done."""
    await world.settle_everything()
    await world.tell(*await world.facts())
    await world.settle_everything()


async def offered(owner: httpx.AsyncClient, workspace_id: str) -> tuple[bool, str | None, str | None]:
    """The one add-on: whether it can be bought, why not, and what is in the way."""
    (addon,) = (await owner.get(f"/v1/workspaces/{workspace_id}/addons")).json()["addons"]
    return addon["can_be_bought"], addon["cannot_buy_because"], addon["purchase_id"]


async def bought(owner: httpx.AsyncClient, workspace_id: str) -> httpx.Response:
    return await owner.post(f"/v1/workspaces/{workspace_id}/purchases", json=ORDER, headers=key())


@pytest.mark.parametrize(("story", "why"), HOLDS.items(), ids=[story.__name__ for story in HOLDS])
async def test_what_holds_the_slot_is_named_by_the_list_and_refuses_the_sale(
    world: World, api: Api, story: Story, why: str
) -> None:
    purchase = await story(world)

    async with api.owner(purchase.workspace_id) as owner:
        listed = await offered(owner, purchase.workspace_id)
        refused = await bought(owner, purchase.workspace_id)

    assert listed == (False, why, str(purchase.id))
    assert (refused.status_code, problem_of(refused), refused.json()["purchase_id"]) == (409, why, str(purchase.id))
    assert len(await world.requests("invoices.pay")) == 1


@pytest.mark.parametrize(("story", "end"), ENDS.items(), ids=[story.__name__ for story in ENDS])
async def test_after_every_end_it_can_be_bought_again(world: World, api: Api, story: Story, end: str) -> None:
    purchase = await story(world)
    await heard(world)
    row = await world.purchase(purchase.id)
    assert (row.status.value, row.payable) == (end, False)
    await world.give_card(str(purchase.stripe_customer_id), "pm_card_visa")

    async with api.owner(purchase.workspace_id) as owner:
        before = await offered(owner, purchase.workspace_id)
        again = await bought(owner, purchase.workspace_id)
        after = await offered(owner, purchase.workspace_id)

    assert before == (True, None, None)
    assert (again.status_code, again.json()["status"]) == (201, "paid")
    assert after == (False, "already-purchased", again.json()["id"])


async def test_too_many_declines_stand_against_everything_for_some_minutes(world: World, api: Api) -> None:
    purchase = await declined(world)
    await world.settle_everything()
    async with api.owner(purchase.workspace_id) as owner:
        for _ in range(5):
            assert await offered(owner, purchase.workspace_id) == (True, None, None)
            assert (await bought(owner, purchase.workspace_id)).status_code == 402
            await world.settle_everything()

        refused = await bought(owner, purchase.workspace_id)
        listed = await offered(owner, purchase.workspace_id)
        await world.execute("update workspace_addon_purchases set declined_at = declined_at - interval '10 minutes'")
        later = await offered(owner, purchase.workspace_id)

    assert (refused.status_code, problem_of(refused)) == (429, "too-many-declines")
    assert 0 < int(refused.headers["retry-after"]) <= 601
    assert listed == (False, "too-many-declines", None)
    assert later == (True, None, None)
