"""What Stripe's client gives, as JSON that only `stripe_reader` reads, and when that was so."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, TypeVar

from purchases.stripe_api.client import UnknownShape, phase
from stripe_reader import stripe_json
from stripe_reader.origin import metadata_of
from stripe_reader.stripe_json import Json

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object as Stripe answered it. It is no event and has no event's id: `fetched_at` puts it in order with events.

    In Stripe's own time; None where the answer did not say when, as the objects of a list do not.
    """

    payload: Json
    fetched_at: datetime | None = None

    def read(self, reader: Callable[[Json], Value]) -> Value:
        """Return what `reader` reads of it. Raises UnknownShape, which names the object."""
        try:
            return reader(self.payload)
        except stripe_json.UnknownShape as error:
            raise UnknownShape(f"{self.payload.get('id', '?')}: {error}") from error

    @property
    def id(self) -> str:
        """Return its id. Raises UnknownShape."""
        return self.read(lambda payload: stripe_json.required_id(payload, "id"))

    @property
    def made_at(self) -> datetime:
        """Return when Stripe made it, to the second: lists show what was made last first. Raises UnknownShape."""
        return self.read(lambda payload: stripe_json.utc_time(stripe_json.integer(payload, "created")))

    def part(self, name: str) -> "Fetched | None":
        """Return an object that it shows expanded, as true as itself; None where it does not."""
        found = stripe_json.part(self.payload, name)
        return Fetched(found, self.fetched_at) if found else None

    def entries(self, name: str) -> "list[Fetched]":
        """Return the objects of a list that it shows. Raises UnknownShape."""
        shown = self.read(lambda payload: stripe_json.entries(payload, name))
        return [Fetched(entry, self.fetched_at) for entry in shown]

    def has_more(self, name: str) -> bool:
        """Return whether Stripe cut the list that the object shows."""
        return bool(stripe_json.part(self.payload, name).get("has_more"))

    def has_metadata(self, wanted: Mapping[str, str]) -> bool:
        """Return whether its metadata has all of `wanted`. Raises UnknownShape."""
        return wanted.items() <= self.read(metadata_of).items()


async def request(name: str, call: Awaitable[Any]) -> Fetched:
    """Make one call and return what Stripe answered, by `name` in metrics and faults. Raises as `phase` does.

    It was so no later than Stripe read it, by Stripe's clock: an event of a later second is newer.
    """
    began = monotonic()
    async with phase(name):
        answer = await call
    return Fetched(json_of(answer), _answered_at(answer, took=timedelta(seconds=int(monotonic() - began) + 2)))


def _answered_at(answer: Any, *, took: timedelta) -> datetime | None:
    """Return when Stripe read it, at the latest. A date that is none is not known: what was asked for is done."""
    response = getattr(answer, "last_response", None)
    with suppress(TypeError, ValueError):
        return (
            parsedate_to_datetime(response.headers["date"]) - took if response and "date" in response.headers else None
        )
    return None


async def listed(name: str, call: Awaitable[Any]) -> AsyncIterator[Fetched]:
    """List the objects of Stripe's list, however many pages. Raises as `phase` does."""
    async with phase(name):
        async for thing in (await call).auto_paging_iter():
            yield Fetched(json_of(thing))


async def first_with_metadata(wanted: Mapping[str, str], name: str, call: Awaitable[Any]) -> Fetched | None:
    """Find the first object of Stripe's list, however many pages, whose metadata has all of `wanted`.

    Lists are read because Stripe's search lags (https://docs.stripe.com/search#data-freshness).
    """
    async with phase(name):
        async for thing in (await call).auto_paging_iter():
            if (found := Fetched(json_of(thing))).has_metadata(wanted):
                return found
    return None


def json_of(thing: Any) -> Json:
    """Return an object of Stripe's client as the JSON that it was made of."""
    payload: Json = thing.to_dict()
    return payload
