"""What `stripe_reader` reads of the objects that Stripe's client gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

from purchases.stripe_api.client import UnknownShape
from stripe_reader import stripe_json

Value = TypeVar("Value")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fetched(Generic[Value]):
    """What Stripe answered. It is no event and has no event's id: `at` alone puts it in order with events.

    `at` is in Stripe's own time; None where the answer did not say when, as the objects of a list do not.
    """

    value: Value
    at: datetime | None


def json_of(thing: Any) -> Json:
    """Return an object of Stripe's client as the JSON that it was made of."""
    payload: Json = thing.to_dict()
    return payload


def read(reader: Callable[[Json], Value], thing: Any) -> Value:
    """Return what `reader` reads of an object of Stripe's client. Raises UnknownShape."""
    return read_json(reader, json_of(thing))


def read_json(reader: Callable[[Json], Value], payload: Json) -> Value:
    """Return what `reader` reads. Raises UnknownShape, which names the object."""
    try:
        return reader(payload)
    except stripe_json.UnknownShape as error:
        raise UnknownShape(f"{payload.get('id', '?')}: {error}") from error


def has_more(payload: Json, name: str) -> bool:
    """Return whether Stripe cut the list that the object shows."""
    shown = payload.get(name)
    return isinstance(shown, dict) and bool(shown.get("has_more"))


def fetched(reader: Callable[[Json], Value], answer: Any, *, took: float) -> Fetched[Value]:
    """Return what was read of an answer, and when it was true. Raises UnknownShape.

    No later than Stripe read it, by Stripe's clock: an event of a later second is newer. `took` in seconds.
    """
    response = getattr(answer, "last_response", None)
    date = (response.headers if response else {}).get("date")
    at = parsedate_to_datetime(date) - timedelta(seconds=int(took) + 2) if date else None
    return Fetched(read(reader, answer), at)
