"""What the acts share, and what they leave behind for the table and the check."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.driver import Driver, NeverHappened
from sandbox.shop import Shop

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """One line of the table of purchases."""

    what: str
    answer: str
    shop: Shop
    purchase_id: str
    expected: str
    """The status that it must end in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """One line of the table of plans."""

    what: str
    shop: Shop
    plan: str
    """The plan that it must end with, and the `status` of its subscription."""
    status: str
    usage: str
    """What became of the projects that were claimed."""


@dataclass(slots=True)
class Harness:
    """The driver, the two add-ons that are sold, and what has been seen so far."""

    driver: Driver
    addon: Json
    other: Json
    title: str = ""
    """Of the act that is being played."""
    sold: list[Sold] = field(default_factory=list)
    subscribed: list[Subscribed] = field(default_factory=list)

    def bought(self, shop: Shop, answer: httpx.Response, *, ends: str, before: str = "") -> str:
        """Note what was said to «Buy now», also `before`, and how the purchase must end; its id."""
        body = answer.json()
        purchase = body if "id" in body else body.get("purchase")
        if purchase is None:
            raise NeverHappened(f"{shop.name} bought nothing: {answer.status_code} {answer.text}")
        purchase_id = str(purchase["id"])
        outcome = f"{before}, then {said(answer)}" if before else said(answer)
        self.note(shop, purchase_id, answer=outcome, ends=ends)
        return purchase_id

    def note(self, shop: Shop, purchase_id: str, *, answer: str, ends: str) -> None:
        """Note what the buyer was answered, and how the purchase must end."""
        self.sold.append(Sold(what=self.title, answer=answer, shop=shop, purchase_id=purchase_id, expected=ends))

    async def until(self, shop: Shop, purchase_id: str, status: str) -> None:
        """Wait until the owner sees the purchase in `status`."""

        async def arrived() -> bool:
            return bool((await self.driver.purchase(shop, purchase_id))["status"] == status)

        await self.driver.until(arrived, f"purchase {purchase_id} is {status}")

    async def refunded(self, purchase_id: str, *, cents: int) -> None:
        """Wait until Stripe has sent back this much for the purchase in all."""

        async def arrived() -> bool:
            return bool((await self.driver.record(purchase_id))["refunded_cents"] == cents)

        await self.driver.until(arrived, f"{cents} are refunded for purchase {purchase_id}")

    async def unexpected(self) -> list[str]:
        """Return what did not end as it should, in words."""
        purchases = [
            (one.what, one.expected, (await self.driver.record(one.purchase_id))["status"]) for one in self.sold
        ]
        plans = [(one.what, (one.plan, one.status), await self._plan_of(one.shop)) for one in self.subscribed]
        return [
            f"{what}: {ended}, not {expected}" for what, expected, ended in (*purchases, *plans) if ended != expected
        ]

    async def _plan_of(self, shop: Shop) -> tuple[str, str]:
        seen = await self.driver.get(f"/v1/workspaces/{shop.workspace_id}/billing", token=shop.token)
        return seen["plan"]["slug"], seen["subscription"]["status"]


def said(answer: httpx.Response) -> str:
    """Return an answer in two words: its code, and the status or the problem's type."""
    body = answer.json()
    return f"{answer.status_code} {body['status'] if 'id' in body else body['type'].rsplit('/', 1)[-1]}"
