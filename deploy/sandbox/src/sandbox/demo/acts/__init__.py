"""ACTS: what the demo plays, in this order, each in a workspace of its own."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sandbox.demo.acts.buying import declined, nobody_answered, paid_and_delivered, through_the_bank, without_a_card
from sandbox.demo.acts.refunding import cancelled_with_the_rest, in_the_dashboard
from sandbox.demo.stage import Stage
from sandbox.progress import Report

Act = Callable[[Stage], Awaitable[None]]

ACTS: Final[Mapping[str, Act]] = {
    "saved card, delivered": paid_and_delivered,
    "3-D Secure, then the webhook": through_the_bank,
    "declined card": declined,
    "no card, saved on Stripe's page": without_a_card,
    "the answer to the payment is lost": nobody_answered,
    "refund in the Dashboard": in_the_dashboard,
    "partial refund here, cancelled with the rest": cancelled_with_the_rest,
}


async def play(stage: Stage, report: Report) -> None:
    """All acts, one after the other."""
    for title, act in ACTS.items():
        report(title, "playing")
        stage.title = title
        await act(stage)
        report(title, "done")
