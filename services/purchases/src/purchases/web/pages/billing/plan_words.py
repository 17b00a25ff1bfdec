"""STATUSES: what Stripe's word for a subscription is called, and what that means for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from purchases.web.replies.plan_replies import NextChargeReply, SubscriptionReply


@dataclass(frozen=True, slots=True)
class Said:
    """A badge, the sentence below it, and what the day is that comes with it."""

    word: str
    colour: str
    sentence: str
    day: str = ""
    """Empty where no day says anything."""


NO_SUBSCRIPTION: Final = Said("No subscription", "grey", "Nothing is charged.")
AWAITED_NOW: Final = Said("Being confirmed", "yellow", "The plan changes as soon as Stripe's word is here.")
AT_THE_BANK_NOW: Final = Said("At your bank", "yellow", "The plan changes as soon as your bank has paid.")
ENDING: Final = Said("Ends soon", "yellow", "It is cancelled: it stays until the day below.", "Ends on")
NOTHING_MORE: Final = Said(
    "Ends soon", "yellow", "It is cancelled: it stays until the day below, and nothing more is charged.", "Ends on"
)
CHARGED_ONCE_MORE: Final = Said(
    "Ends soon", "yellow", "It is cancelled for the day below; until then it is still charged.", "Ends on"
)
PAUSED: Final = Said(
    "Payments paused", "blue", "Nothing is charged while payments are paused.", "The current period ends on"
)
BY_INVOICE: Final = Said("Active", "green", "Each renewal comes as an invoice that you pay yourself.", "Renews on")
STATUSES: Final[Mapping[str, Said]] = {
    "active": Said("Active", "green", "It renews by itself.", "Renews on"),
    "trialing": Said("Trial", "blue", "It is charged for when the trial ends.", "Trial ends on"),
    "past_due": Said(
        "Payment overdue", "yellow", "The last renewal could not be charged.", "The period not paid for ends on"
    ),
    "unpaid": Said("Unpaid", "red", "The last renewal was not paid.", "The period not paid for ends on"),
    "incomplete": Said("Not paid yet", "yellow", "The first payment has not come through. Nothing was charged."),
    "incomplete_expired": Said("Never paid", "grey", "The first payment never came through. Nothing was charged."),
    "paused": Said("Paused", "grey", "Nothing is charged while it is paused. Write to us to have it go on."),
    "canceled": Said("Ended", "grey", "It has ended.", "Ended on"),
}
INTERVALS: Final[Mapping[str, str]] = {"month": "Monthly", "year": "Yearly"}
RESOURCES: Final[Mapping[str, str]] = {"byok_keys": "Own API keys"}


def said_of(subscription: SubscriptionReply | None, next_charge: NextChargeReply) -> Said:
    """Return what is said of the plan, of the future what Stripe says; a status of later versions is shown as it is."""
    if subscription is None:
        return NO_SUBSCRIPTION
    if subscription.status in {"active", "trialing"}:
        is_ending = subscription.ends_at is not None and next_charge.none_because != "paused"
        special = _ending(next_charge) if is_ending else _running(next_charge)
        if special is not None:
            return special
    return STATUSES.get(subscription.status) or Said(subscription.status.replace("_", " ").capitalize(), "grey", "")


def _ending(next_charge: NextChargeReply) -> Said:
    if next_charge.state == "none":
        return NOTHING_MORE
    return CHARGED_ONCE_MORE if next_charge.state == "known" else ENDING


def _running(next_charge: NextChargeReply) -> Said | None:
    if next_charge.none_because == "paused":
        return PAUSED
    return BY_INVOICE if next_charge.collection_method == "send_invoice" else None


def resource_name(resource: str) -> str:
    """Return what a resource is called: `projects` → `Projects`."""
    return RESOURCES.get(resource) or resource.replace("_", " ").capitalize()
