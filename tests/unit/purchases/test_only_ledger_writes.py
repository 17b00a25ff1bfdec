"""Only purchases.ledger writes a purchase's status, its money, and whether money may still arrive for it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import purchases

ROOT: Final = Path(purchases.__file__).parent
STATUS: Final = {"status", "paid_at", "delivered_at", "failed_at", "cancelled_at", "refunded_at", "refunded_from"}
MONEY: Final = {
    "paid_cents",
    "invoice_paid_cents",
    "credit_cents",
    "off_stripe_cents",
    "charge_refunded_cents",
    "refunded_cents",
    "refund_cents",
    "amount_cents",
}
WAITING: Final = {"payable", "failure_code", "declined_at", "waiting_for", "action_url"}
COLUMNS: Final = STATUS | MONEY | WAITING
ROWS: Final = {"Purchase", "Payment", "Charge", "ParkedPayment"}
OTHER_ROWS: Final = {
    ("disputes/events.py", "row"),
    ("refunds/plan_share.py", "row"),
    ("subscriptions/store_snapshot.py", "row"),
}
"""Variables that hold a dispute, the plan's share of money back, a subscription: their columns have the same names."""
NEVER_STORED: Final = "web/replies/examples.py"
"""Its rows are examples in the API's document."""
RAW: Final = re.compile(
    r"\b(update|insert\s+into)\s+(workspace_addon_purchases|purchase_(payments|charges|refunds))\b", re.I
)


def writes(source: str, *, file: str = "") -> Iterator[str]:
    """Yield each place of `source` that writes one of COLUMNS, makes one of ROWS, or has SQL do either."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(ast.expr() as row, str(name), ast.Store() | ast.Del()) if name in COLUMNS:
                if (file, ast.unparse(row)) not in OTHER_ROWS:
                    yield f"{node.lineno}: {ast.unparse(node)}"
            case ast.Call(ast.Name("setattr"), [row, *_]) if (file, ast.unparse(row)) not in OTHER_ROWS:
                yield f"{node.lineno}: {ast.unparse(node)}"
            case ast.Call(ast.Name(str(name))) if name in ROWS and file != NEVER_STORED:
                yield f"{node.lineno}: {name}(…)"
            case ast.Call(ast.Name("update" | "insert"), [ast.Name(str(row)), *_]) if row in ROWS | {"Refund"}:
                yield f"{node.lineno}: {ast.unparse(node)}"
            case ast.Call(ast.Attribute(attr="values"), keywords=sets) if {one.arg for one in sets} & COLUMNS:
                yield f"{node.lineno}: {ast.unparse(node)}"
            case ast.Constant(str(text)) if RAW.search(text):
                yield f"{node.lineno}: {text}"


def test_only_ledger_writes_status_money_and_payable() -> None:
    """Elsewhere a subject calls `move`, `start_purchase`, `end_payable` and the other verbs of ledger."""
    elsewhere = [
        f"{file}:{place}"
        for path in sorted(ROOT.rglob("*.py"))
        if not (file := path.relative_to(ROOT).as_posix()).startswith(("ledger/", "migrations/"))
        for place in writes(path.read_text(), file=file)
    ]
    assert elsewhere == []


def test_each_row_that_is_left_out_is_there() -> None:
    """A name that nobody writes any more would hide the next one who uses it for a purchase."""
    for file, row in OTHER_ROWS:
        assert re.search(rf"\b{row}\.({'|'.join(COLUMNS)})\b.*=", (ROOT / file).read_text()), file


@pytest.mark.parametrize(
    "source",
    [
        "purchase.status = Status.PAID",
        "purchase.leased_until, purchase.payable = None, False",
        "one.payment.charge_refunded_cents += 1",
        "charge.refunded_cents: int = 0",
        "for purchase.paid_cents in amounts: pass",
        "del purchase.paid_at",
        "setattr(purchase, name, value)",
        "Purchase(id=purchase_id)",
        "update(Purchase).where(True)",
        "insert(Payment)",
        "known.values(payable=False)",
        "text('update workspace_addon_purchases set sequence = 0')",
    ],
)
def test_a_write_elsewhere_is_found(source: str) -> None:
    """Whichever way it is written."""
    assert len(list(writes(source, file="buying/buy.py"))) == 1


def test_what_only_reads_is_left_alone() -> None:
    """A comparison, a question and another column are no writes."""
    source = "purchase.leased_until = now\nselect(Purchase).where(Purchase.status == status)\nlow = purchase.paid_cents"
    assert list(writes(source)) == []
