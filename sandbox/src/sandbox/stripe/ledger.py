"""Stripe's own sums, for tests that compare a ledger with it."""

from sandbox.stripe.account import Account
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.model import Charge, Json

COUNTED = ("pending", "succeeded")
"""Refunds that count; a failed or cancelled one does not."""


def sums(account: Account) -> Json:
    """Sum captured and refunded minor units, by customer and currency, and over all; and what disputes took."""
    customers: Json = {}
    total: Json = {}
    for charge in account.charges.newest_first():
        if charge.status == "succeeded":
            amounts = {"captured": charge.amount_captured, "payments": 1}
            _add(customers, total, customer=charge.customer, currency=charge.currency, amounts=amounts)
    for refund in account.refunds.newest_first():
        if refund.status in COUNTED:
            amounts = {"refunded": refund.amount, "refunds": 1}
            _add(customers, total, customer=refund.customer, currency=refund.currency, amounts=amounts)
    return {
        "total": total,
        "customers": customers,
        "lost": _lost(account),
        "plans": _plans(account),
        "credit": _credit(account),
    }


def _credit(account: Account) -> Json:
    """Return what customers' balances paid of invoices, and what requests with a `refund_id` gave back to them."""
    customers: Json = {}
    for one in account.balance_transactions.newest_first():
        row = customers.setdefault(one.customer, {}).setdefault(one.currency, {"applied": 0, "given_back": 0})
        if one.invoice is not None:
            row["applied"] += one.amount
        elif "refund_id" in one.metadata:
            row["given_back"] -= one.amount
    return customers


def _plans(account: Account) -> Json:
    """Return what of all that paid for subscriptions' periods, by customer and currency.

    A part of a bundle's charge that is refunded counts as given back for what was bought once, unless it names the
    invoice whose plan it returns.
    """
    customers: Json = {}
    for charge in account.charges.newest_first():
        invoice = account.invoices.find(charge.invoice) if charge.invoice else None
        if invoice and invoice.subscription and charge.status == "succeeded":
            once = _bought_once(invoice)
            sheet = customers.setdefault(charge.customer or "", {})
            row = sheet.setdefault(charge.currency, {"captured": 0, "refunded": 0})
            row["captured"] += charge.amount_captured - once
            returned = _returned(account, charge)
            row["refunded"] += returned + max(charge.amount_refunded - returned - once, 0)
    return customers


def _returned(account: Account, charge: Charge) -> int:
    refunds = (one for one in account.refunds.where("charge", charge.id) if one.status in COUNTED)
    return sum(one.amount for one in refunds if "returned_invoice" in one.metadata)


def _bought_once(invoice: Invoice) -> int:
    return sum(
        line.amount - line.discounted + line.taxed(inclusive=False)
        for line in invoice.lines
        if line.subscription_item is None
    )


def _lost(account: Account) -> Json:
    """Minor units of lost disputes, by customer and currency."""
    customers: Json = {}
    for dispute in account.disputes.newest_first():
        if dispute.status == "lost":
            sheet = customers.setdefault(account.charges.get(dispute.charge).customer or "", {})
            sheet[dispute.currency] = sheet.get(dispute.currency, 0) + dispute.amount
    return customers


def _add(customers: Json, total: Json, *, customer: str | None, currency: str, amounts: dict[str, int]) -> None:
    empty = {"captured": 0, "refunded": 0, "payments": 0, "refunds": 0}
    for sheet in (customers.setdefault(customer or "", {}), total):
        row = sheet.setdefault(currency, dict(empty))
        for name, amount in amounts.items():
            row[name] += amount
