"""What may become of a plan: a renewal that fails and is healed, and an end that was planned."""

from sandbox.demo.harness import Harness
from sandbox.demo.subscriber import Subscriber


async def with_another_card(harness: Harness) -> None:
    """Let the renewal be declined: the plan stays, and the owner is mailed and saves another card in the portal."""
    owner = await Subscriber.given(harness, name="Island")
    await owner.checks_out()
    await owner.card_goes_bad()
    await owner.period_ends()
    await owner.until(plan="builder", status="past_due")
    await owner.claims("project-1", "project-2")
    await owner.until_mailed("Payment failed")
    await owner.in_the_portal("card", card="visa")
    await owner.until(plan="builder", status="active")
    owner.ends(plan="builder", status="active")


async def until_the_period_ends(harness: Harness) -> None:
    """Cancel in the portal: Builder until then; afterwards nothing is deleted, and nothing can be added."""
    owner = await Subscriber.given(harness, name="Jetty")
    await owner.checks_out(interval="year")
    await owner.claims("project-1", "project-2", "project-3")
    await owner.in_the_portal("cancel")
    await owner.until(plan="builder", status="active", end_is_planned=True)
    await owner.period_ends()
    await owner.until(plan="free", status="canceled", end_is_planned=True)
    await owner.claims("project-4")
    owner.ends(plan="free", status="canceled")
