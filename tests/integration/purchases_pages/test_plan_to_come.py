"""What the billing page says of what comes next: what Stripe will do, and nothing else."""

import time
from typing import Any

import pytest

from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import given_a_subscriber
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.plan_page import ENDS, seen, subscribed

NOTHING_MORE = "nothing more is charged"


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (
            {"cancel_at_period_end": True},
            ("Builder Ends soon It is cancelled: it stays until the day below, and nothing more", "Next charge None"),
        ),
        (
            {"cancel_at": 40},
            ("Builder Ends soon It is cancelled for the day below; until then it is", "Next charge €9.00 on"),
        ),
        (
            {"pause_collection": {"behavior": "void"}},
            ("Builder Payments paused Nothing is charged while payments are paused.", "Next charge None"),
        ),
        (
            {"collection_method": "send_invoice", "days_until_due": 14},
            ("Builder Active Each renewal comes as an invoice that you pay", "Next invoice €9.00, sent on"),
        ),
        ({}, ("Builder Active It renews by itself.", "Next charge €9.00 on")),
    ],
    ids=["within the period", "beyond it", "paused", "by invoice", "as it was"],
)
async def test_what_is_said_of_the_future_is_what_stripe_will_do(
    harness: Harness, site: Site, how: dict[str, Any], says: tuple[str, str]
) -> None:
    subscriber = await given_a_subscriber(harness)
    subscription = await subscriber.subscribe()
    if "cancel_at" in how:
        how = {"cancel_at": int(time.time()) + how["cancel_at"] * 24 * 3600, "proration_behavior": "none"}
    changes: Any = how
    await harness.client.v1.subscriptions.update_async(subscription, changes)
    await subscriber.hear()

    page = await seen(site, subscriber.workspace_id)

    assert all(sentence in page.text for sentence in says)
    assert (NOTHING_MORE in page.text) == ("cancel_at_period_end" in how)


async def test_while_stripe_has_not_said_what_comes_nothing_is_promised(harness: Harness, site: Site) -> None:
    subscriber = await subscribed(harness, cancel_at=ENDS)
    await harness.execute("update subscriptions set next_charge_as_of = null")

    page = await seen(site, subscriber.workspace_id, **{"Accept-Language": "de-AT"})

    assert "Builder Ends soon It is cancelled: it stays until the day below." in page.text
    assert "Ends on 4. März 2031 (UTC) Next charge Not known just now" in page.text
    assert NOTHING_MORE not in page.text
