"""Coupons, taxes and the customer's balance: an invoice's money that is not its line's."""

from typing import Any

import pytest
import stripe

from sandbox.stripe.control import StripeControl
from tests.fixtures.stripe_shapes import BASIL, LEGACY
from tests.integration.stripe_sandbox.conftest import EUR_499, METADATA, Buyer, Receiver, client_at
from tests.integration.stripe_sandbox.test_versions import VERSIONS


async def coupon_of(buyer: Buyer, **wanted: Any) -> str:
    """A new coupon."""
    sent: Any = {"duration": "forever", **wanted}
    return (await buyer.api.coupons.create_async(sent)).id


async def rate_of(buyer: Buyer, percentage: float, *, inclusive: bool = False) -> str:
    """A new tax rate."""
    rate = await buyer.api.tax_rates.create_async(
        {"display_name": "VAT", "percentage": percentage, "inclusive": inclusive}
    )
    return rate.id


async def draft_of(buyer: Buyer, *amounts: int, item: dict[str, Any] | None = None, **wanted: Any) -> stripe.Invoice:
    """A draft with an item for each amount."""
    sent: Any = {"customer": buyer.customer, "currency": "eur", "metadata": METADATA, **wanted}
    invoice = await buyer.api.invoices.create_async(sent)
    for amount in amounts:
        sent = {"customer": buyer.customer, "invoice": invoice.id, "amount": amount, "currency": "eur", **(item or {})}
        await buyer.api.invoice_items.create_async(sent)
    return await buyer.api.invoices.retrieve_async(invoice.id)


def figures(invoice: stripe.Invoice) -> tuple[int, int, int]:
    """What the lines say, what is asked for, what was paid."""
    return invoice.subtotal, invoice.total, invoice.amount_paid


async def test_a_percentage_is_taken_off_and_paid_less(buyer: Buyer) -> None:
    coupon = await coupon_of(buyer, percent_off=10)

    paid = await buyer.pay(await draft_of(buyer, EUR_499, discounts=[{"coupon": coupon}]))

    assert figures(paid) == (EUR_499, 44_910, 44_910)
    (line,) = paid.lines.data
    assert (line.amount, [one.amount for one in line.discount_amounts or []]) == (EUR_499, [4_990])


async def test_an_amount_is_spread_over_the_lines_to_the_last_cent(buyer: Buyer) -> None:
    coupon = await coupon_of(buyer, amount_off=1_000, currency="eur")

    invoice = await draft_of(buyer, 10_000, 20_000, 30_001, discounts=[{"coupon": coupon}])

    taken = [one.amount for line in invoice.lines.data for one in line.discount_amounts or []]
    assert (sum(taken), invoice.total) == (1_000, 59_001)
    assert sorted(taken) == [166, 333, 501]


async def test_several_coupons_follow_each_other(buyer: Buyer) -> None:
    half, ten = await coupon_of(buyer, percent_off=50), await coupon_of(buyer, amount_off=1_000, currency="eur")

    invoice = await draft_of(buyer, 10_000, discounts=[{"coupon": half}, {"coupon": ten}])

    assert invoice.total == 4_000


async def test_tax_comes_on_top_of_what_the_coupon_leaves(buyer: Buyer) -> None:
    coupon, rate = await coupon_of(buyer, percent_off=10), await rate_of(buyer, 20)

    paid = await buyer.pay(await draft_of(buyer, EUR_499, discounts=[{"coupon": coupon}], default_tax_rates=[rate]))

    assert figures(paid) == (EUR_499, 53_892, 53_892)
    assert paid.total_excluding_tax == 44_910
    (tax,) = paid.lines.data[0].taxes or []
    assert (tax.amount, tax.taxable_amount, tax.tax_behavior) == (8_982, 44_910, "exclusive")


async def test_an_inclusive_tax_is_shown_and_not_added(buyer: Buyer) -> None:
    rate = await rate_of(buyer, 20, inclusive=True)

    invoice = await draft_of(buyer, 12_000, default_tax_rates=[rate])

    assert (invoice.total, invoice.total_excluding_tax, invoice.subtotal_excluding_tax) == (12_000, 10_000, 10_000)


async def test_an_items_own_rates_come_before_the_invoices(buyer: Buyer) -> None:
    ten, twenty = await rate_of(buyer, 10), await rate_of(buyer, 20)

    invoice = await draft_of(buyer, 10_000, item={"tax_rates": [ten]}, default_tax_rates=[twenty])

    assert invoice.total == 11_000


async def test_an_item_that_is_not_discountable_keeps_its_price(buyer: Buyer) -> None:
    coupon = await coupon_of(buyer, percent_off=50)

    invoice = await draft_of(buyer, 10_000, item={"discountable": False}, discounts=[{"coupon": coupon}])

    assert invoice.total == 10_000


async def test_a_customers_coupon_counts_for_his_invoices_until_it_is_taken_away(
    buyer: Buyer, control: StripeControl
) -> None:
    coupon = await coupon_of(buyer, percent_off=10)
    await control.discount_customer(buyer.customer, coupon=coupon)

    with_coupon = await draft_of(buyer, 10_000)
    without = await draft_of(buyer, 10_000, discounts="")
    await buyer.api.customers.delete_discount_async(buyer.customer)
    afterwards = await draft_of(buyer, 10_000)

    assert [one.total for one in (with_coupon, without, afterwards)] == [9_000, 10_000, 10_000]


async def test_a_customers_coupon_for_once_is_used_up_by_one_invoice(buyer: Buyer, control: StripeControl) -> None:
    coupon = await coupon_of(buyer, percent_off=10, duration="once")
    await control.discount_customer(buyer.customer, coupon=coupon)

    first = await buyer.pay(await draft_of(buyer, 10_000))
    second = await draft_of(buyer, 10_000)

    assert (first.amount_paid, second.total) == (9_000, 10_000)


async def test_a_coupon_for_everything_pays_without_a_payment(buyer: Buyer) -> None:
    coupon = await coupon_of(buyer, percent_off=100)

    paid = await buyer.api.invoices.finalize_invoice_async(
        (await draft_of(buyer, EUR_499, discounts=[{"coupon": coupon}])).id
    )

    assert (paid.status, paid.amount_paid, paid.total) == ("paid", 0, 0)
    assert (await buyer.api.charges.list_async({"customer": buyer.customer})).data == []


async def test_the_customers_balance_pays_a_part(buyer: Buyer) -> None:
    await buyer.api.customers.update_async(buyer.customer, {"balance": -10_000})

    paid = await buyer.paid_invoice()

    customer = await buyer.api.customers.retrieve_async(buyer.customer)
    assert (paid.total, paid.amount_due, paid.amount_paid) == (EUR_499, 39_900, 39_900)
    assert (paid.starting_balance, paid.ending_balance, customer.balance) == (-10_000, 0, 0)


async def test_the_customers_balance_pays_everything(buyer: Buyer) -> None:
    await buyer.api.customers.update_async(buyer.customer, {"balance": -60_000})

    paid = await buyer.open_invoice()

    assert (paid.status, paid.amount_paid, paid.ending_balance) == ("paid", 0, EUR_499 - 60_000)
    assert paid.payments is not None
    assert paid.payments.data == []


@pytest.mark.parametrize("era", [LEGACY, BASIL])
async def test_webhooks_of_both_eras_show_what_was_taken_off_and_added(
    buyer: Buyer, control: StripeControl, receiver: Receiver, era: str
) -> None:
    await control.register_endpoint(receiver.url, api_version=VERSIONS[era], enabled_events=["invoice.paid"])
    coupon, rate = await coupon_of(buyer, percent_off=10), await rate_of(buyer, 20)

    await buyer.pay(await draft_of(buyer, EUR_499, discounts=[{"coupon": coupon}], default_tax_rates=[rate]))
    assert await control.quiet()

    invoice = receiver.only("invoice.paid")
    (line,) = invoice["lines"]["data"]
    assert invoice["amount_paid"] == 53_892
    assert [one["amount"] for one in line["discount_amounts"]] == [4_990]
    assert [one["amount"] for one in invoice["total_discount_amounts"]] == [4_990]
    if era == LEGACY:
        assert (invoice["tax"], [one["amount"] for one in line["tax_amounts"]]) == (8_982, [8_982])
        assert invoice["discount"]["coupon"]["id"] == coupon
        assert "taxes" not in line
    else:
        assert [one["amount"] for one in line["taxes"]] == [8_982]
        assert [one["amount"] for one in invoice["total_taxes"]] == [8_982]
        assert not invoice.keys() & {"tax", "discount", "total_tax_amounts"}


async def test_a_discount_shows_its_coupon_where_its_version_has_it(
    buyer: Buyer, stripe_url: str, http: stripe.HTTPXClient
) -> None:
    coupon = await coupon_of(buyer, percent_off=10)
    draft = await draft_of(buyer, EUR_499, discounts=[{"coupon": coupon}])

    for version in VERSIONS.values():
        client = client_at(stripe_url, http=http, version=version)
        invoice = await client.v1.invoices.retrieve_async(draft.id, {"expand": ["discounts"]})
        (discount,) = invoice.to_dict()["discounts"]
        assert coupon in (discount.get("coupon", {}).get("id"), discount.get("source", {}).get("coupon"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"percent_off": 10, "amount_off": 100, "currency": "eur"},
        {},
        {"percent_off": 101},
        {"amount_off": 100},
        {"percent_off": "many"},
    ],
)
async def test_a_coupon_takes_off_one_thing(buyer: Buyer, wrong: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await coupon_of(buyer, **wrong)


async def test_a_coupon_of_another_currency_or_used_up_is_refused(buyer: Buyer) -> None:
    dollars = await coupon_of(buyer, amount_off=100, currency="usd")
    single = await coupon_of(buyer, percent_off=10, max_redemptions=1)
    await draft_of(buyer, 100, discounts=[{"coupon": single}])

    for coupon in (dollars, single, "NOPE"):
        with pytest.raises(stripe.InvalidRequestError):
            await draft_of(buyer, 100, discounts=[{"coupon": coupon}])
