"""Stripe's lists: newest first, filtered, cut by `limit`, `starting_after` and `ending_before`."""

from collections.abc import Iterable
from itertools import dropwhile, islice, takewhile
from typing import Any, Final

from sandbox.stripe.account import Collection, T
from sandbox.stripe.call import Call
from sandbox.stripe.model import Json, Thing
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, parameter_invalid
from sandbox.stripe.render import render

PAGING: Final = ("limit", "starting_after", "ending_before", "expand")
LARGEST_PAGE: Final = 100


def page(*, call: Call, things: Iterable[T], url: str) -> Json:
    """Cut the page that the call asks for out of `things`, which come newest first.

    https://docs.stripe.com/api/pagination
    """
    limit = _limit(call.params)
    things = _created_within(things, params=call.params)
    things = _from_cursor(call=call, things=things)
    found = list(islice(things, limit + 1)) if not call.params.has("ending_before") else _tail(things, limit)
    return {
        "object": "list",
        "data": [render(thing, version=call.version) for thing in _cut(found, limit, call.params)],
        "has_more": len(found) > limit,
        "url": url,
    }


def filtered(
    *, held: Collection[T], call: Call, by: str, known: Collection[Any], rest: Iterable[T] | None = None
) -> Iterable[T]:
    """Return the objects whose field `by` is the parameter of that name; all, or `rest`, when it was not sent.

    Raises resource_missing for an id that `known` has not: Stripe refuses it, rather than finding nothing.
    """
    wanted = call.params.text(by)
    if wanted is None:
        return held.newest_first() if rest is None else rest
    known.get(wanted, param=by)
    return held.where(by, wanted)


def _limit(params: Params) -> int:
    limit = params.integer("limit")
    if limit is None:
        return 10
    if not 1 <= limit <= LARGEST_PAGE:
        bound = "less than or equal to 100" if limit > LARGEST_PAGE else "greater than or equal to 1"
        raise parameter_invalid(f"This value must be {bound}.", param="limit")
    return limit


def _from_cursor(*, call: Call, things: Iterable[T]) -> Iterable[T]:
    after, before = call.params.text("starting_after"), call.params.text("ending_before")
    if after:
        _refuse_unknown(call=call, cursor=after, param="starting_after")
        return islice(dropwhile(lambda thing: thing.id != after, things), 1, None)
    if before:
        _refuse_unknown(call=call, cursor=before, param="ending_before")
        return takewhile(lambda thing: thing.id != before, things)
    return things


def _refuse_unknown(*, call: Call, cursor: str, param: str) -> None:
    if call.account.look_up(cursor) is None and not cursor.startswith("il_"):
        raise Refusal(f"No such object: '{cursor}'", code="resource_missing", param=param)


def _tail(things: Iterable[T], limit: int) -> list[T]:
    return list(things)[-(limit + 1) :]


def _cut(found: list[T], limit: int, params: Params) -> list[T]:
    return found[-limit:] if params.has("ending_before") else found[:limit]


def _created_within(things: Iterable[T], *, params: Params) -> Iterable[T]:
    """Keep what was `created` at a time, or within bounds `gt`, `gte`, `lt`, `lte`."""
    if not params.has("created"):
        return things
    if isinstance(params.form["created"], str):
        exactly = params.integer("created")
        return (thing for thing in things if thing.created == exactly)
    bounds = params.nested("created")
    bounds.refuse_unknown(("gt", "gte", "lt", "lte"))
    return (thing for thing in things if _is_within(thing, bounds=bounds))


def _is_within(thing: Thing, *, bounds: Params) -> bool:
    lowest = max(bounds.integer("gte") or 0, (bounds.integer("gt") or -1) + 1)
    ends = [end for end in (bounds.integer("lte"), _before(bounds.integer("lt"))) if end is not None]
    return lowest <= thing.created <= min(ends, default=thing.created)


def _before(end: int | None) -> int | None:
    return None if end is None else end - 1
