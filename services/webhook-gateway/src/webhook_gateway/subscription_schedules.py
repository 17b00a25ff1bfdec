"""Subscription schedule events: what will become of a subscription, of which Stripe's own preview tells the cost."""

from contracts.stripe_facts import SubscriptionScheduleChanged
from webhook_gateway.presence import id_of, required_text
from webhook_gateway.stripe_event import StripeEvent, origin
from webhook_gateway.told import Told, tell


def subscription_schedule_changed(event: StripeEvent) -> Told:
    """`subscription_schedule.*`. Source: https://docs.stripe.com/api/subscription_schedules/object."""
    schedule, fields = event.object, origin(event)
    return tell(
        SubscriptionScheduleChanged,
        **fields,
        schedule_id=fields["object_id"],
        subscription_id=id_of(schedule.get("subscription")) or id_of(schedule.get("released_subscription")),
        status=required_text(schedule, "status"),
    )
