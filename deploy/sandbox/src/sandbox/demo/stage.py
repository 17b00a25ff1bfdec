"""What the acts share, and what they leave behind for the table and the check."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.scene import Scene, Shop

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


@dataclass(slots=True)
class Stage:
    """The scene, the add-on that is sold, and what has been seen so far."""

    scene: Scene
    addon: Json
    title: str = ""
    """Of the act that is being played."""
    sold: list[Sold] = field(default_factory=list)

    def bought(self, shop: Shop, answer: httpx.Response, *, ends: str, before: str = "") -> str:
        """Note what was said to «Buy now», also `before`, and how the purchase must end; its id."""
        body = answer.json()
        purchase_id = str(body["id"] if "id" in body else body["purchase"]["id"])
        told = f"{before}, then {said(answer)}" if before else said(answer)
        self.sold.append(Sold(what=self.title, answer=told, shop=shop, purchase_id=purchase_id, expected=ends))
        return purchase_id

    async def until(self, shop: Shop, purchase_id: str, status: str) -> None:
        """Wait until the owner sees the purchase in `status`."""

        async def arrived() -> bool:
            return bool((await self.scene.purchase(shop, purchase_id))["status"] == status)

        await self.scene.until(arrived, f"purchase {purchase_id} is {status}")

    async def refunded(self, purchase_id: str, *, cents: int) -> None:
        """Wait until Stripe has sent back this much for the purchase in all."""

        async def arrived() -> bool:
            return bool((await self.scene.record(purchase_id))["refunded_cents"] == cents)

        await self.scene.until(arrived, f"{cents} are refunded for purchase {purchase_id}")

    async def unexpected(self) -> list[str]:
        """What did not end as it should, in words."""
        ended = [(one, (await self.scene.record(one.purchase_id))["status"]) for one in self.sold]
        return [f"{one.what}: {status}, not {one.expected}" for one, status in ended if status != one.expected]


def said(answer: httpx.Response) -> str:
    """An answer in two words: its code, and the status or the problem's type."""
    body = answer.json()
    return f"{answer.status_code} {body['status'] if 'id' in body else body['type'].rsplit('/', 1)[-1]}"
