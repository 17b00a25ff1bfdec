"""The acts of the demo, in their order: what is done, as a user would, and what must be seen of it after."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from sandbox.demo.bank import authorise
from sandbox.scene import Scene, Shop

Json = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """One line of the table that the demo prints."""

    what: str
    answer: str
    shop: Shop
    purchase_id: str
    expected: str


@dataclass(slots=True)
class Stage:
    """What the acts share: the add-on that is sold."""

    scene: Scene
    addon: Json


Act = Callable[[Stage], Awaitable[Seen]]


async def paid_and_delivered(stage: Stage) -> Seen:
    """Bought with the saved card; the team is mailed, does the work, and marks it as delivered."""
    shop = await stage.scene.given_a_workspace(name="Acme")
    answer = await stage.scene.buy(shop, stage.addon)
    purchase_id = _purchase_id(answer)
    await _until(stage.scene, shop, purchase_id, "paid")
    await stage.scene.deliver(purchase_id)
    return Seen("saved card, delivered", _said(answer), shop, purchase_id, "delivered")


async def through_the_bank(stage: Stage) -> Seen:
    """The bank wants 3-D Secure: only the signed webhook makes this one paid."""
    shop = await stage.scene.given_a_workspace(card="pm_card_authenticationRequired", name="Bricks & Co")
    answer = await stage.scene.buy(shop, stage.addon)
    await authorise(stage.scene.http, answer.json()["action_url"])
    purchase_id = _purchase_id(answer)
    await _until(stage.scene, shop, purchase_id, "paid")
    return Seen("3-D Secure, then the webhook", _said(answer), shop, purchase_id, "paid")


async def declined(stage: Stage) -> Seen:
    """The card is declined: nothing is charged, and the invoice can never be paid later."""
    shop = await stage.scene.given_a_workspace(card="pm_card_chargeCustomerFail", name="Crumbs")
    answer = await stage.scene.buy(shop, stage.addon)
    return Seen("declined card", _said(answer), shop, _purchase_id(answer), "failed")


async def refunded(stage: Stage) -> Seen:
    """Bought, then refunded in Stripe's Dashboard: the ledger follows, the owner is mailed."""
    shop = await stage.scene.given_a_workspace(name="Dunes")
    answer = await stage.scene.buy(shop, stage.addon)
    purchase_id = _purchase_id(answer)
    record = await stage.scene.record(purchase_id)
    await stage.scene.stripe.refund_as_dashboard(invoice=record["stripe_invoice_id"])
    await _until(stage.scene, shop, purchase_id, "refunded")
    return Seen("refund in the Dashboard", _said(answer), shop, purchase_id, "refunded")


async def nobody_answered(stage: Stage) -> Seen:
    """Stripe takes the money and the answer is lost: never failed, never charged twice, settled by what Stripe says."""
    shop = await stage.scene.given_a_workspace(name="Elsewhere")
    # The client asks again by itself, so the repeats must be lost as well.
    await stage.scene.stripe.fault("close_after", operation="invoices.pay", times=1)
    await stage.scene.stripe.fault("close_before", operation="invoices.pay", times=2)
    answer = await stage.scene.buy(shop, stage.addon)
    await stage.scene.stripe.reset_faults()
    purchase_id = _purchase_id(answer)
    await _until(stage.scene, shop, purchase_id, "paid")
    return Seen("the answer to the payment is lost", _said(answer), shop, purchase_id, "paid")


ACTS: Final[Sequence[Act]] = (paid_and_delivered, through_the_bank, declined, refunded, nobody_answered)


async def play(stage: Stage) -> list[Seen]:
    """All acts, one after the other, each in a workspace of its own."""
    return [await act(stage) for act in ACTS]


async def replay(scene: Scene) -> int:
    """Every webhook of the day once more, all at once: they must change nothing. Says how many."""
    events = await scene.stripe.events()
    await asyncio.gather(*(scene.stripe.resend(event["id"]) for event in events))
    await scene.settle()
    return len(events)


def _purchase_id(answer: httpx.Response) -> str:
    body = answer.json()
    return str(body["id"] if "id" in body else body["purchase"]["id"])


def _said(answer: httpx.Response) -> str:
    body = answer.json()
    return f"{answer.status_code} {body['status'] if 'id' in body else body['type'].rsplit('/', 1)[-1]}"


async def _until(scene: Scene, shop: Shop, purchase_id: str, status: str) -> None:
    async def arrived() -> bool:
        return bool((await scene.purchase(shop, purchase_id))["status"] == status)

    await scene.until(arrived, f"purchase {purchase_id} is {status}")
