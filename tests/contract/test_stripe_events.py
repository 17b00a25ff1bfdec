"""What the webhook endpoint is asked for at Stripe is what the gateway can read."""

from catalog.stripe_setup.webhook import EVENT_TYPES
from webhook_gateway.stripe_events.normalisers import NORMALISERS


def test_every_event_that_the_gateway_reads_is_asked_for_and_no_other() -> None:
    assert set(NORMALISERS) == set(EVENT_TYPES)


def test_no_event_is_asked_for_twice() -> None:
    assert len(EVENT_TYPES) == len(set(EVENT_TYPES))
