"""The sandbox's operations: all walked through, none that Stripe does not have, none missing that the product calls."""

import re
from pathlib import Path
from typing import Final

import pytest

from sandbox.stripe.known.operation import Operation
from sandbox.stripe.routing import OPERATIONS, find_operation
from tests.conformance.conftest import Record
from tests.conformance.openapi import operation, parameters

SERVICES: Final = Path(__file__).parents[2] / "services"
CALL: Final = re.compile(r"\.v1\.([a-z_.]+)_async\(")
NAMED_BY_THE_CLIENT: Final = {
    "invoice_items": "invoiceitems",
    "invoices.finalize_invoice": "invoices.finalize",
    "invoices.void_invoice": "invoices.void",
    "invoices.line_items": "invoices.lines",
}
"""Where stripe-python's name differs from the table's."""

OF_OLDER_VERSIONS: Final = {
    "charges.refunds.list": set(),
    "invoiceitems.create": {"price"},
    "products.create": set(),
}
"""Parameters that the sandbox takes because older versions of the API have them."""
OF_NEWER_VERSIONS: Final = {"checkout.sessions.create": {"allowed_payment_method_types"}}
"""The same of versions newer than the description's."""


def called_by_the_product() -> set[str]:
    """The operations that the services' code names."""
    texts = (path.read_text() for path in SERVICES.glob("*/src/**/*.py"))
    found = {name for text in texts for name in CALL.findall(text)}
    return {_as_the_table_says(name) for name in found}


def _as_the_table_says(name: str) -> str:
    for theirs, ours in NAMED_BY_THE_CLIENT.items():
        if name == theirs or name.startswith(f"{theirs}."):
            return ours + name.removeprefix(theirs)
    return name


def test_every_operation_was_walked_through(record: Record) -> None:
    walked = {found[0].name for said in record.all if (found := find_operation(method=said.method, path=said.path))}

    assert sorted({known.name for known in OPERATIONS} - walked) == []


def test_the_sandbox_knows_whatever_the_product_calls() -> None:
    assert sorted(called_by_the_product() - {known.name for known in OPERATIONS}) == []


@pytest.mark.parametrize("known", OPERATIONS, ids=lambda known: known.name)
def test_no_operation_takes_what_stripe_does_not(known: Operation) -> None:
    entry = operation(method=known.method, path=known.path)

    assert entry is not None
    others = {"expand"} | OF_OLDER_VERSIONS.get(known.name, set()) | OF_NEWER_VERSIONS.get(known.name, set())
    assert known.accepts - parameters(entry) - others == set()
