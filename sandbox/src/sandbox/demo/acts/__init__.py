"""ACTS: what the demo plays, in this order, each in a workspace of its own."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sandbox.demo.acts.buying import declined, nobody_answered, paid_and_delivered, through_the_bank, without_a_card
from sandbox.demo.acts.refunding import cancelled_with_the_rest, in_the_dashboard
from sandbox.demo.acts.signing_up import with_a_bundle
from sandbox.demo.acts.staying import until_the_period_ends, with_another_card
from sandbox.demo.harness import Harness
from sandbox.progress import Report

Act = Callable[[Harness], Awaitable[None]]

ACTS: Final[Mapping[str, Act]] = {
    "saved card, delivered": paid_and_delivered,
    "3-D Secure, then the webhook": through_the_bank,
    "declined card": declined,
    "no card; one is saved on Stripe's page": without_a_card,
    "the answer to the payment is lost": nobody_answered,
    "refund in the Dashboard": in_the_dashboard,
    "refund in part, cancelled with the rest": cancelled_with_the_rest,
    "signup with two add-ons": with_a_bundle,
    "renewal declined, another card in the portal": with_another_card,
    "cancelled at the period's end": until_the_period_ends,
}


async def play(harness: Harness, report: Report) -> None:
    """All acts, one after the other."""
    for title, act in ACTS.items():
        report(title, "playing")
        harness.title = title
        await act(harness)
        report(title, "done")
