"""Reads Stripe's objects by what is present, never by `api_version`; what no rule covers raises UnknownShape."""

from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

Json = Mapping[str, Any]
LONGEST_ID: Final = 255
"""Stripe's own bound on object ids. Source: https://docs.stripe.com/upgrades#what-changes-does-stripe-consider-to-be-backward-compatible."""


LARGEST: Final = 10**14
"""Far above any amount or time, and a sum of all that fit into one body still has 64 bits."""


class UnknownShape(ValueError):  # noqa: N818 - named for what it says
    """A value is missing or is not what any known API version puts there; the event is parked, never guessed."""


def id_of(value: object) -> str | None:
    """The id behind a reference, expanded or not. Source: https://docs.stripe.com/api/expanding_objects."""
    if isinstance(value, dict):
        value = value.get("id")
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) <= LONGEST_ID and value.isprintable():
        return value
    raise UnknownShape(f"a reference is no id but a {type(value).__name__}")


def text(owner: Json, name: str) -> str | None:
    """A string, or None where it is absent or null."""
    value = owner.get(name)
    if value is None or (isinstance(value, str) and "\x00" not in value):
        return value
    raise UnknownShape(f"{name} is no text but a {type(value).__name__}")


def required_text(owner: Json, name: str) -> str:
    """A string that every version carries."""
    value = text(owner, name)
    if value:
        return value
    raise UnknownShape(f"{name} is missing")


def required_id(owner: Json, name: str) -> str:
    """The id of a reference that every version carries."""
    value = id_of(owner.get(name))
    if value is None:
        raise UnknownShape(f"{name} is missing")
    return value


def integer(owner: Json, name: str) -> int:
    """A whole number that every version carries: minor units, or Unix seconds."""
    value = owner.get(name)
    if type(value) is int and -LARGEST < value < LARGEST:
        return value
    raise UnknownShape(f"{name} is missing or no whole number")


def amount(owner: Json, name: str) -> int:
    """Minor units that are never below zero."""
    value = integer(owner, name)
    if value < 0:
        raise UnknownShape(f"{name} is negative")
    return value


def positive_amount(owner: Json, name: str) -> int:
    """Minor units above zero."""
    value = amount(owner, name)
    if value == 0:
        raise UnknownShape(f"{name} is zero")
    return value


def word(owner: Json, name: str, *, known: Container[str]) -> str | None:
    """One of the words that Stripe documents, or None where it is absent or null."""
    value = text(owner, name)
    if value is None or value in known:
        return value
    raise UnknownShape(f"{name} is {value[:LONGEST_ID]!r}, which Stripe did not document")


def required_word(owner: Json, name: str, *, known: Container[str]) -> str:
    """One of the words that Stripe documents, of a field that every version carries."""
    value = word(owner, name, known=known)
    if value is None:
        raise UnknownShape(f"{name} is missing")
    return value


def optional_integer(owner: Json, name: str) -> int | None:
    """A whole number, or None where it is absent or null."""
    return None if owner.get(name) is None else integer(owner, name)


def flag(owner: Json, name: str) -> bool:
    """A yes or no; absent or null is no."""
    value = owner.get(name)
    if value is None or type(value) is bool:
        return value is True
    raise UnknownShape(f"{name} is no boolean")


def optional_currency(owner: Json) -> str | None:
    """ISO 4217 in upper case, or None where it is absent, null or empty."""
    currency = text(owner, "currency")
    return currency.upper() if currency else None


def currency_of(owner: Json) -> str:
    """ISO 4217 in upper case; Stripe writes it in lower case."""
    return required_text(owner, "currency").upper()


def part(owner: Json, *names: str) -> Json:
    """The object at the end of a path; empty where a step is absent, null, or an unexpanded id."""
    here: Json = owner
    for name in names:
        value = here.get(name)
        if not isinstance(value, dict):
            return {}
        here = value
    return here


def entries(owner: Json, name: str) -> Sequence[Json]:
    """The objects of a plain array or of Stripe's list object; empty where absent or null."""
    value = owner.get(name)
    if isinstance(value, dict):
        value = value.get("data")
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    raise UnknownShape(f"{name} is no list of objects")


def is_whole_list(owner: Json, name: str) -> bool:
    """Whether the list is there and Stripe did not cut it (`has_more`)."""
    value = owner.get(name)
    return isinstance(value, dict) and isinstance(value.get("data"), list) and not value.get("has_more")
