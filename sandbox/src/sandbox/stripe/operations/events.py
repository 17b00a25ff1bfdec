"""Events (https://docs.stripe.com/api/events): recorded whether or not anybody received them."""

from fnmatch import fnmatchcase
from typing import Final

from sandbox.stripe.call import Call
from sandbox.stripe.listing import page
from sandbox.stripe.model import Event, Json
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.render import exists_in

LISTED_SECONDS: Final = 30 * 24 * 3600
"""Stripe gives events of the last 30 days. Source: https://docs.stripe.com/api/events."""
MOST_TYPES: Final = 20


def retrieve(call: Call) -> Event:
    return call.account.events.get(call.id)


def list_(call: Call) -> Json:
    """List by `type` (which may end in `.*`) or `types`, by `created`, and by `delivery_success`.

    Those of the last 30 days. An event keeps the version that the account had when it was made, whatever version asks.
    """
    params = call.params
    type_, types = params.text("type"), params.texts("types")
    if type_ and types:
        raise Refusal("You may only specify one of these parameters: type, types.")
    if types and len(types) > MOST_TYPES:
        raise Refusal(f"Array too long: maximum length is {MOST_TYPES}.", param="types")
    wanted = types or ([type_] if type_ else ["*"])
    success = params.boolean("delivery_success")
    things = (one for one in call.account.events.newest_first() if is_one_of(one, wanted))
    things = (one for one in things if one.created >= call.now - LISTED_SECONDS)
    things = (one for one in things if success is None or call.account.is_delivered(one) == success)
    return page(call=call, things=things, url="/v1/events")


def is_one_of(event: Event, wanted: list[str]) -> bool:
    """Return whether the event's type is among `wanted`, and existed in the version it was made with."""
    named = any(fnmatchcase(event.type, one) for one in wanted)
    return named and exists_in(event, version=event.api_version)
