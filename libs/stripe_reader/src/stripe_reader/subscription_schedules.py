"""Subscription schedules: what will become of a subscription, of which Stripe's own preview tells the cost."""

from stripe_reader.origin import StripeObject, read_origin
from stripe_reader.stripe_json import Json, id_of, required_text


class SubscriptionSchedule(StripeObject):
    """A schedule, and the subscription that it changes or has released."""

    schedule_id: str
    subscription_id: str | None
    status: str


def read_subscription_schedule(schedule: Json) -> SubscriptionSchedule:
    """Return what a schedule says. Raises UnknownShape.

    Source: https://docs.stripe.com/api/subscription_schedules/object.
    """
    origin = read_origin(schedule)
    return SubscriptionSchedule(
        **origin,
        schedule_id=origin["object_id"],
        subscription_id=id_of(schedule.get("subscription")) or id_of(schedule.get("released_subscription")),
        status=required_text(schedule, "status"),
    )
