"""The whole day's webhooks once more."""

import asyncio

from sandbox.driver import Driver


async def replay(driver: Driver) -> list[str]:
    """Deliver every webhook again, all at once; what they changed, in words: it must be nothing."""
    before = await driver.inspector.everything()
    await asyncio.gather(*(driver.stripe.resend(event["id"]) for event in await driver.stripe.events()))
    await driver.settle()
    after = await driver.inspector.everything()
    return [f"the replay changed {table}" for table in before if before[table] != after[table]]
