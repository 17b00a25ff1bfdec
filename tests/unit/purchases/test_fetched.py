"""What purchases fetches from Stripe is read by `stripe_reader` alone, has no event's id, and says when it was so."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import stripe

from purchases.stripe_api.client import UnknownShape
from purchases.stripe_api.fetch import fetch_charge
from purchases.stripe_api.reading import Fetched

ROOT: Final = Path(__file__).parents[3]
PURCHASES: Final = ROOT / "services/purchases/src/purchases"
AT: Final = datetime(2026, 3, 4, 10, 30, 3, tzinfo=UTC)


class Answer(stripe.HTTPClient):
    """Stripe's API that answers one charge, with a `Date` or without."""

    name = "one answer"

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._headers = headers

    async def request_async(self, *_: Any, **__: Any) -> tuple[bytes, int, Mapping[str, str]]:
        return b'{"id": "ch_1", "object": "charge"}', 200, self._headers


async def fetched(headers: Mapping[str, str]) -> Fetched:
    client = stripe.StripeClient("sk_test_x", http_client=Answer(headers))
    charge = await fetch_charge(client, "ch_1")
    assert charge is not None
    return charge


async def test_a_fetched_object_says_when_it_was_so_in_stripes_own_time() -> None:
    """Never later than Stripe read it: an event of that very second may be newer."""
    charge = await fetched({"date": "Wed, 04 Mar 2026 10:30:03 GMT"})

    assert charge.fetched_at == AT - timedelta(seconds=2)


async def test_an_answer_without_a_date_says_no_time() -> None:
    assert (await fetched({})).fetched_at is None


def test_a_fetched_object_has_no_events_id() -> None:
    assert [field.name for field in fields(Fetched)] == ["payload", "fetched_at"]


def test_what_no_reader_understands_names_its_object() -> None:
    with pytest.raises(UnknownShape, match=r"^ch_1: metadata is no object$"):
        Fetched({"id": "ch_1", "metadata": 1}).has_metadata({})


def test_only_one_module_touches_the_objects_of_stripes_client() -> None:
    """Every other one is given `Fetched`, and cannot read by attribute what no reader knows."""
    found = {str(path.relative_to(PURCHASES)) for path in PURCHASES.rglob("*.py") if any(awaited_calls(path))}

    assert found == set()


def awaited_calls(path: Path) -> Iterator[str]:
    """The calls of Stripe's client that are awaited where they are made, and not handed to `request` or its kin."""
    for node in ast.walk(ast.parse(path.read_text())):
        called = node.value.func if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr.endswith("_async") and ".v1." in ast.unparse(called):
            yield called.attr
