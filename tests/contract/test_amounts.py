"""Amounts are integers of minor units beside their currency, in every fact and in the ledger."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Integer

from catalog.bodies import NewAddon
from catalog.prices import price_of
from chassis.money import MAX_MINOR_UNITS
from contracts import FACTS
from contracts.fact import Fact
from purchases.every_table import METADATA
from purchases.web.bodies import PurchaseBody, RefundBody

AMOUNTS = ("_cents", "amount", "amount_paid", "amount_refunded")


def properties(schema: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of a JSON Schema with its name, however deep."""
    if isinstance(schema, list):
        for part in schema:
            yield from properties(part, name)
    elif isinstance(schema, dict):
        yield name, schema
        for key, part in schema.items():
            if key == "properties":
                for child, inner in part.items():
                    yield from properties(inner, child)
            elif key == "$defs":
                for inner in part.values():
                    yield from properties(inner)
            elif key in {"anyOf", "allOf", "oneOf", "items"}:
                yield from properties(part, name)


def is_amount(name: str) -> bool:
    return name.endswith(AMOUNTS)


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: fact.TYPE)
def test_no_fact_carries_a_number_that_is_no_integer(fact: type[Fact]) -> None:
    found = list(properties(fact.model_json_schema()))

    assert [name for name, schema in found if schema.get("type") == "number"] == []
    typed = [(name, schema["type"]) for name, schema in found if is_amount(name) and "type" in schema]
    assert [name for name, kind in typed if kind not in {"integer", "null"}] == []


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: fact.TYPE)
def test_an_amount_stands_beside_its_currency(fact: type[Fact]) -> None:
    schema = fact.model_json_schema()
    objects = [schema, *schema.get("$defs", {}).values()]
    paying = [one["properties"] for one in objects if any(is_amount(name) for name in one.get("properties", {}))]
    outer_currency = any(name.endswith("currency") for name in schema["properties"])

    assert [one for one in paying if not (outer_currency or any(name.endswith("currency") for name in one))] == []


def test_the_ledger_keeps_integers() -> None:
    columns = [column for table in METADATA.tables.values() for column in table.columns if is_amount(column.name)]

    assert columns
    assert [str(column) for column in columns if not isinstance(column.type, Integer)] == []


def test_whatever_the_catalog_sells_can_be_bought_and_refunded() -> None:
    dearest = NewAddon.model_validate({"name": "Setup", "price": "9999999999.99", "currency": "IDR"})
    price = price_of(major=dearest.price, cents=None, currency=dearest.currency)

    PurchaseBody(addon="setup", expected_price_cents=price.cents, expected_currency=price.currency)
    RefundBody(amount_cents=price.cents, reason="All of it")
    assert price.cents == MAX_MINOR_UNITS
