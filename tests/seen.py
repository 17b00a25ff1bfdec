"""What a journey looks at besides the books: the type of a problem, what became of an invoice at Stripe."""

from typing import Any

import httpx

from contracts import STRIPE_EVENTS
from sandbox.driver import Scene, Shop

Json = dict[str, Any]


def problem_of(answer: httpx.Response) -> str:
    """The last part of a problem's type, which clients branch on."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    return str(problem["type"]).removeprefix("https://quittance.dev/problems/")


async def invoice_status(scene: Scene, record: Json) -> str | None:
    """Of the purchase's invoice, at Stripe; None when it was deleted there."""
    invoices = (await scene.stripe.objects(kind="invoice"))["invoice"]
    return next((str(one["status"]) for one in invoices if one["id"] == record["stripe_invoice_id"]), None)


async def captured(scene: Scene, shop: Shop) -> tuple[int, int]:
    """Minor units that Stripe took from the workspace's customer, and in how many payments; in one currency."""
    sums = (await scene.stripe.sums())["customers"].get(shop.customer_id, {})
    assert len(sums) <= 1
    figures = next(iter(sums.values()), {"captured": 0, "payments": 0})
    return figures["captured"], figures["payments"]


async def everything(scene: Scene) -> Json:
    """Rows of all services, and what was accepted from Stripe."""
    seen: Json = await scene.witness.everything()
    seen |= {"workspaces": await scene.witness.rows("purchases", "select * from workspaces order by id")}
    seen |= {"plan_addons": await scene.witness.rows("catalog", "select * from plan_addons order by id")}
    return seen | {"stripe_events": len(await scene.witness.facts(STRIPE_EVENTS))}
