"""Reads Stripe's JSON by what is present, never by `api_version`; what no rule covers raises UnknownShape."""

from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

Json = Mapping[str, Any]
LONGEST_ID: Final = 255
"""Stripe's own bound on object ids. Source: https://docs.stripe.com/upgrades#what-changes-does-stripe-consider-to-be-backward-compatible."""


LARGEST: Final = 10**14
"""Far above any amount or time, and a sum of all that fit into one body still has 64 bits."""


class UnknownShape(ValueError):  # noqa: N818 - named for what it says
    """A value is missing or is not what any known API version puts there; the event is parked, never guessed."""


def id_of(value: object) -> str | None:
    """Return the id behind a reference, expanded or not; None where there is none. Raises UnknownShape.

    Source: https://docs.stripe.com/api/expanding_objects.
    """
    if isinstance(value, dict):
        value = value.get("id")
    if not value and (value is None or value == ""):
        return None
    if isinstance(value, str) and len(value) <= LONGEST_ID and value.isprintable():
        return value
    raise UnknownShape(f"a reference is no id but a {type(value).__name__}")


def text(owner: Json, name: str) -> str | None:
    """Return a string, or None where it is absent or null. Raises UnknownShape."""
    value = owner.get(name)
    if value is None or (isinstance(value, str) and "\x00" not in value):
        return value
    raise UnknownShape(f"{name} is no text but a {type(value).__name__}")


def required_text(owner: Json, name: str) -> str:
    """Return a string that every version carries. Raises UnknownShape where it is absent, null or empty."""
    value = owner.get(name)
    if value and isinstance(value, str) and "\x00" not in value:
        return value
    text(owner, name)
    raise UnknownShape(f"{name} is missing")


def required_id(owner: Json, name: str) -> str:
    """Return the id of a reference that every version carries. Raises UnknownShape."""
    value = id_of(owner.get(name))
    if value is None:
        raise UnknownShape(f"{name} is missing")
    return value


def integer(owner: Json, name: str) -> int:
    """Return a whole number that every version carries: minor units, or Unix seconds. Raises UnknownShape."""
    value = owner.get(name)
    if type(value) is int and -LARGEST < value < LARGEST:
        return value
    raise UnknownShape(f"{name} is missing or no whole number")


def amount(owner: Json, name: str) -> int:
    """Return minor units that are never below zero. Raises UnknownShape."""
    value = owner.get(name)
    if type(value) is int and 0 <= value < LARGEST:
        return value
    integer(owner, name)
    raise UnknownShape(f"{name} is negative")


def positive_amount(owner: Json, name: str) -> int:
    """Return minor units above zero. Raises UnknownShape."""
    value = owner.get(name)
    if type(value) is int and 0 < value < LARGEST:
        return value
    amount(owner, name)
    raise UnknownShape(f"{name} is zero")


def word(owner: Json, name: str, *, known: Container[str]) -> str | None:
    """Return one of the words that Stripe documents, or None where it is absent or null. Raises UnknownShape."""
    value = owner.get(name)
    if value is None or (isinstance(value, str) and value in known):
        return value
    unknown = text(owner, name) or ""
    raise UnknownShape(f"{name} is {unknown[:LONGEST_ID]!r}, which Stripe did not document")


def required_word(owner: Json, name: str, *, known: Container[str]) -> str:
    """Return one of the words that Stripe documents, of a field that every version carries. Raises UnknownShape."""
    value = owner.get(name)
    if isinstance(value, str) and value in known:
        return value
    word(owner, name, known=known)
    raise UnknownShape(f"{name} is missing")


def optional_integer(owner: Json, name: str) -> int | None:
    """Return a whole number, or None where it is absent or null. Raises UnknownShape."""
    value = owner.get(name)
    if value is None or (type(value) is int and -LARGEST < value < LARGEST):
        return value
    return integer(owner, name)


def utc_time(seconds: int) -> datetime:
    """Return Unix seconds as a time in UTC. Raises UnknownShape where no calendar has such a day."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise UnknownShape(f"{seconds} is no time") from error


def optional_time(owner: Json, name: str) -> datetime | None:
    """Return a time in UTC, or None where it is absent or null. Raises UnknownShape."""
    return None if owner.get(name) is None else utc_time(integer(owner, name))


def flag(owner: Json, name: str) -> bool:
    """Return a yes or no; absent or null is no. Raises UnknownShape."""
    value = owner.get(name)
    if value is None or type(value) is bool:
        return value is True
    raise UnknownShape(f"{name} is no boolean")


def optional_currency(owner: Json) -> str | None:
    """Return ISO 4217 in upper case, or None where it is absent, null or empty. Raises UnknownShape."""
    currency = text(owner, "currency")
    return currency.upper() if currency else None


def currency_of(owner: Json) -> str:
    """Return ISO 4217 in upper case; Stripe writes it in lower case. Raises UnknownShape."""
    return required_text(owner, "currency").upper()


def part(owner: Json, *names: str) -> Json:
    """Return the object at the end of a path; an empty one where a step is absent, null, or an unexpanded id."""
    here: Json = owner
    for name in names:
        value = here.get(name)
        if not isinstance(value, dict):
            return {}
        here = value
    return here


def entries(owner: Json, name: str) -> Sequence[Json]:
    """Return the objects of an array or of Stripe's list object; none where absent or null. Raises UnknownShape."""
    value = owner.get(name)
    if isinstance(value, dict):
        value = value.get("data")
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    raise UnknownShape(f"{name} is no list of objects")


def is_whole_list(owner: Json, name: str) -> bool:
    """Return whether the list is there and Stripe did not cut it (`has_more`)."""
    value = owner.get(name)
    return isinstance(value, dict) and isinstance(value.get("data"), list) and not value.get("has_more")
