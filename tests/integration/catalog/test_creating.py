"""A new add-on gets a slug of its name and a price that can be charged, or is refused and nothing is stored."""

import asyncio
import json
from typing import Any

import pytest

from tests.integration.catalog.conftest import ADDONS, Catalog

JSON = {"content-type": "application/json"}
BAD_BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": None}, "invalid-request"),
    "a blank name": ({"name": " \t "}, "invalid-request"),
    "a name of 121 characters": ({"name": "x" * 121}, "invalid-request"),
    "a number as name": ({"name": 7}, "invalid-request"),
    "NUL in the name": ({"name": "Set\u0000up"}, "invalid-request"),
    "a line end in the name": ({"name": "Setup\r\nBcc: everybody@example.com"}, "invalid-request"),
    "a line separator in the name": ({"name": "Set\u2028up"}, "invalid-request"),
    "a lone surrogate in the name": ({"name": "Set\ud800up"}, "invalid-request"),
    "a name of emoji": ({"name": "🎉🎉"}, "empty-slug"),
    "a name of punctuation": ({"name": "!!! – ?"}, "empty-slug"),
    "NUL in the description": ({"description": "a\u0000b"}, "invalid-request"),
    "a description of 1,001 characters": ({"description": "x" * 1_001}, "invalid-request"),
    "a description of two lines": ({"description": "First line.\nSecond line."}, "invalid-request"),
    "a description of two paragraphs": ({"description": "One.\u2029Two."}, "invalid-request"),
    "9 bullets": ({"bullets": ["x"] * 9}, "invalid-request"),
    "a bullet of 201 characters": ({"bullets": ["x" * 201]}, "invalid-request"),
    "an empty bullet": ({"bullets": ["one", " "]}, "invalid-request"),
    "NUL in a bullet": ({"bullets": ["a\u0000"]}, "invalid-request"),
    "a null bullet": ({"bullets": [None]}, "invalid-request"),
    "bullets as one text": ({"bullets": "one, two"}, "invalid-request"),
    "no price": ({"price": ...}, "price-ambiguous"),
    "two prices": ({"price": "499.00", "price_cents": 49900}, "price-ambiguous"),
    "price null": ({"price": None}, "invalid-request"),
    "price as a number": ({"price": 499.0}, "invalid-request"),
    "price 0": ({"price": "0"}, "below-minimum"),
    "a negative price": ({"price": "-499"}, "invalid-amount"),
    "a price with a comma": ({"price": "499,00"}, "invalid-amount"),
    "a price with its currency": ({"price": "499 EUR"}, "invalid-amount"),
    "an exponent": ({"price": "1e3"}, "invalid-amount"),
    "Arabic digits": ({"price": "٤٩٩"}, "invalid-amount"),
    "NaN": ({"price": "NaN"}, "invalid-amount"),
    "an empty price": ({"price": ""}, "invalid-amount"),
    "too many decimals": ({"price": "499.001"}, "too-many-decimals"),
    "decimals of yen": ({"price": "499.50", "currency": "JPY"}, "too-many-decimals"),
    "a third decimal of dinar that is not 0": ({"price": "49.999", "currency": "KWD"}, "too-many-decimals"),
    "half a króna": ({"price": ..., "price_cents": 49950, "currency": "ISK"}, "too-many-decimals"),
    "below Stripe's minimum": ({"price": "0.49"}, "below-minimum"),
    "more than any amount": ({"price": "10000000000.00"}, "invalid-amount"),
    "more than Stripe charges": ({"price": "1000000.00"}, "above-maximum"),
    "more yen than Stripe charges": ({"price": "100000000", "currency": "JPY"}, "above-maximum"),
    "price_cents 0": ({"price": ..., "price_cents": 0}, "invalid-request"),
    "price_cents negative": ({"price": ..., "price_cents": -1}, "invalid-request"),
    "price_cents too large": ({"price": ..., "price_cents": 10**30}, "invalid-request"),
    "price_cents as text": ({"price": ..., "price_cents": "49900"}, "invalid-request"),
    "price_cents as a truth value": ({"price": ..., "price_cents": True}, "invalid-request"),
    "price_cents with a fraction": ({"price": ..., "price_cents": 49900.5}, "invalid-request"),
    "an unknown currency": ({"currency": "XXX"}, "unsupported-currency"),
    "no currency code": ({"currency": "EURO"}, "invalid-request"),
    "currency null": ({"currency": None}, "invalid-request"),
    "sort_order beyond the column": ({"sort_order": 2**31}, "invalid-request"),
    "sort_order as text": ({"sort_order": "1"}, "invalid-request"),
    "is_active as text": ({"is_active": "yes"}, "invalid-request"),
    "a slug of one's own": ({"slug": "mine"}, "invalid-request"),
    "a Stripe price of one's own": ({"stripe_price_id": "price_1"}, "invalid-request"),
    "a misspelt field": ({"is_activ": True}, "invalid-request"),
}
BAD_BYTES = {
    "malformed JSON": (b'{"name":', 400, "malformed-json"),
    "no body": (b"", 422, "invalid-request"),
    "a list": (b"[]", 422, "invalid-request"),
    "not UTF-8": (b'{"name": "\xff\xfe", "price": "1"}', 400, "malformed-json"),
    "half a megabyte and more": (b'{"name": "' + b"x" * 600_000 + b'"}', 413, "body-too-large"),
    "Infinity": (b'{"name": "Setup", "price_cents": Infinity}', 422, "invalid-request"),
    "a number of 5,000 digits": (b'{"name": "Setup", "price_cents": ' + b"9" * 5_000 + b"}", 400, "malformed-json"),
    "a key twice": (b'{"name": "Setup", "name": "", "price": "1"}', 422, "invalid-request"),
    "deep nesting": (b"[" * 100_000, 400, "malformed-json"),
}


def body_with(changes: dict[str, Any]) -> dict[str, Any]:
    """Return a good body with `changes`; `...` leaves a field out."""
    body = {"name": "Setup", "price": "499.00"} | changes
    return {field: value for field, value in body.items() if value is not ...}


async def test_an_addon_starts_inactive_in_euro_with_nothing_at_stripe(catalog: Catalog) -> None:
    async with catalog.staff() as staff:
        answer = await staff.post(ADDONS, json={"name": " Professional AI Setup ", "price": "499"})

    addon = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{ADDONS}/{addon['id']}"
    assert answer.headers["etag"] == '"1"'
    assert addon["created_at"] == addon["updated_at"]
    expected: dict[str, Any] = {
        "slug": "professional-ai-setup",
        "name": "Professional AI Setup",
        "description": None,
        "bullets": [],
        "price_cents": 49900,
        "currency": "EUR",
        "price": "499.00",
        "stripe_price_id": None,
        "is_active": False,
        "sort_order": 0,
        "sequence": 1,
    }
    assert expected == {field: addon[field] for field in expected}


async def test_it_is_shown_as_it_was_made(catalog: Catalog) -> None:
    made = await catalog.given_an_addon(
        description="First line. Second line.", bullets=["b", "a", "b"], is_active=True, sort_order=-3
    )

    assert made == await catalog.shown(made)
    assert made["bullets"] == ["b", "a", "b"]
    assert made["description"] == "First line. Second line."


@pytest.mark.parametrize(
    ("given", "cents", "currency", "shown"),
    [
        ({"price": "499"}, 49900, "EUR", "499.00"),
        ({"price": "499.5"}, 49950, "EUR", "499.50"),
        ({"price": "499.00", "currency": "usd"}, 49900, "USD", "499.00"),
        ({"price_cents": 49900}, 49900, "EUR", "499.00"),
        ({"price": "499", "currency": "JPY"}, 499, "JPY", "499"),
        ({"price_cents": 499, "currency": "JPY"}, 499, "JPY", "499"),
        ({"price": "49.99", "currency": "KWD"}, 49990, "KWD", "49.990"),
        ({"price": "0.50"}, 50, "EUR", "0.50"),
        ({"price": "5000", "currency": "ISK"}, 500000, "ISK", "5000"),
    ],
    ids=str,
)
async def test_a_price_is_kept_in_minor_units(
    catalog: Catalog, given: dict[str, Any], cents: int, currency: str, shown: str
) -> None:
    async with catalog.staff() as staff:
        addon = (await staff.post(ADDONS, json={"name": "Setup"} | given)).json()

    assert (cents, currency, shown) == (addon["price_cents"], addon["currency"], addon["price"])


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ünïcode & Co.", "unicode-co"),
        ("日本語 Setup", "ri-ben-yu-setup"),
        ("<script>alert(1)</script>", "script-alert-1-script"),
        ("../../etc/passwd", "etc-passwd"),
        ("x" * 120, "x" * 64),
        (("y" * 63) + " z", "y" * 63),
    ],
)
async def test_the_slug_is_derived_from_the_name(catalog: Catalog, name: str, slug: str) -> None:
    addon = await catalog.given_an_addon(name=name)

    assert (name, slug) == (addon["name"], addon["slug"])


async def test_a_taken_slug_gets_the_next_number_and_still_fits(catalog: Catalog) -> None:
    slugs = [(await catalog.given_an_addon(name="x" * 70))["slug"] for _ in range(11)]

    assert slugs[:3] == ["x" * 64, "x" * 62 + "-2", "x" * 62 + "-3"]
    assert slugs[10] == "x" * 61 + "-11"


async def test_a_name_that_looks_like_a_number_of_another_is_no_collision(catalog: Catalog) -> None:
    slugs = [(await catalog.given_an_addon(name=name))["slug"] for name in ("Setup", "Setup 2", "Setup", "Setup 2")]

    assert slugs == ["setup", "setup-2", "setup-3", "setup-2-2"]


async def test_the_same_name_twenty_times_at_once_gives_twenty_slugs(catalog: Catalog) -> None:
    addons = await asyncio.gather(*(catalog.given_an_addon(name="Setup") for _ in range(20)))

    assert {"setup", *(f"setup-{number}" for number in range(2, 21))} == {addon["slug"] for addon in addons}
    assert len(await catalog.outbox()) == 20


@pytest.mark.parametrize("case", BAD_BODIES)
async def test_what_cannot_be_sold_is_refused_and_nothing_stored(catalog: Catalog, case: str) -> None:
    changes, problem = BAD_BODIES[case]

    async with catalog.staff() as staff:
        answer = await staff.post(ADDONS, content=json.dumps(body_with(changes)), headers=JSON)

    assert (422, f"https://quittance.dev/problems/{problem}") == (answer.status_code, answer.json()["type"])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert await catalog.rows() == await catalog.outbox() == []


@pytest.mark.parametrize("case", BAD_BYTES)
async def test_what_is_no_body_is_refused(catalog: Catalog, case: str) -> None:
    content, status, problem = BAD_BYTES[case]

    async with catalog.staff() as staff:
        answer = await staff.post(ADDONS, content=content, headers=JSON)

    assert (status, f"https://quittance.dev/problems/{problem}") == (answer.status_code, answer.json()["type"])
    assert await catalog.rows() == []
