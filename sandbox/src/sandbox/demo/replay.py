"""The whole day's webhooks once more."""

import asyncio

from sandbox.driver import Scene


async def replay(scene: Scene) -> list[str]:
    """Deliver every webhook again, all at once; what they changed, in words: it must be nothing."""
    before = await scene.witness.everything()
    await asyncio.gather(*(scene.stripe.resend(event["id"]) for event in await scene.stripe.events()))
    await scene.settle()
    after = await scene.witness.everything()
    return [f"the replay changed {table}" for table in before if before[table] != after[table]]
