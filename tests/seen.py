"""What a journey looks at besides what must reconcile: the type of a problem, what became of an invoice at Stripe."""

from typing import Any

import httpx

from contracts import STRIPE_EVENTS
from sandbox.driver import Driver
from sandbox.shop import Shop

Json = dict[str, Any]


def problem_of(answer: httpx.Response) -> str:
    """The last part of a problem's type, which clients branch on."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    return str(problem["type"]).removeprefix("https://quittance.dev/problems/")


async def invoice_status(driver: Driver, record: Json) -> str | None:
    """Of the purchase's invoice, at Stripe; None when it was deleted there."""
    invoices = (await driver.stripe.objects(kind="invoice"))["invoice"]
    return next((str(one["status"]) for one in invoices if one["id"] == record["stripe_invoice_id"]), None)


async def captured(driver: Driver, shop: Shop) -> tuple[int, int]:
    """Minor units that Stripe took from the workspace's customer, and in how many payments; in one currency."""
    sums = (await driver.stripe.sums())["customers"].get(shop.customer_id, {})
    assert len(sums) <= 1
    figures = next(iter(sums.values()), {"captured": 0, "payments": 0})
    return figures["captured"], figures["payments"]


async def everything(driver: Driver) -> Json:
    """Rows of all services, and what was accepted from Stripe."""
    seen: Json = await driver.inspector.everything()
    seen |= {"workspaces": await driver.inspector.rows("purchases", "select * from workspaces order by id")}
    seen |= {"plan_addons": await driver.inspector.rows("catalog", "select * from plan_addons order by id")}
    return seen | {"stripe_events": len(await driver.inspector.facts(STRIPE_EVENTS))}
