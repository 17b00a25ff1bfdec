"""A draft's arithmetic: its discounts in their order, each over all lines, then the tax on what is left."""

from collections.abc import Sequence
from dataclasses import replace

from sandbox.stripe.adjustments import Discount, DiscountAmount, TaxAmount, spread, tax_of
from sandbox.stripe.invoice_model import Invoice, Line


def priced(invoice: Invoice) -> Invoice:
    """Return the invoice with what discounts and taxes make of each of its lines."""
    discounted = _discounted(invoice.lines, discounts=invoice.discounts)
    return replace(invoice, lines=tuple(_taxed(line, invoice=invoice) for line in discounted))


def taxes_by_rate(lines: Sequence[Line]) -> list[TaxAmount]:
    """Return the lines' taxes, added up for each rate."""
    found: dict[str, TaxAmount] = {}
    for tax in (tax for line in lines for tax in line.taxes):
        known = found.get(tax.rate.id, TaxAmount(rate=tax.rate, amount=0, taxable=0))
        added = replace(known, amount=known.amount + tax.amount, taxable=known.taxable + tax.taxable)
        found[tax.rate.id] = added
    return list(found.values())


def discounts_by_id(lines: Sequence[Line]) -> list[DiscountAmount]:
    """Return the lines' discounts, added up for each discount."""
    found: dict[str, int] = {}
    for one in (one for line in lines for one in line.discount_amounts):
        found[one.discount] = found.get(one.discount, 0) + one.amount
    return [DiscountAmount(discount=id_, amount=amount) for id_, amount in found.items()]


def _discounted(lines: Sequence[Line], *, discounts: Sequence[Discount]) -> list[Line]:
    left = [max(line.amount, 0) if line.discountable else 0 for line in lines]
    taken: list[list[DiscountAmount]] = [[] for _ in lines]
    for discount in discounts:
        off = spread(discount.coupon.amount_of(sum(left)), over=left)
        for position, amount in enumerate(off):
            left[position] -= amount
            if lines[position].discountable:
                taken[position].append(DiscountAmount(discount=discount.id, amount=amount))
    return [replace(line, discount_amounts=tuple(own)) for line, own in zip(lines, taken, strict=True)]


def _taxed(line: Line, *, invoice: Invoice) -> Line:
    rates = line.tax_rates or invoice.default_tax_rates
    taxable = line.amount - line.discounted
    return replace(line, taxes=tuple(tax_of(taxable, rate) for rate in rates))
