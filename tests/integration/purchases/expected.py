"""How the rows of a recording must end, reckoned from Stripe's objects alone, by code that never reads the ledger."""

from collections.abc import Sequence
from typing import Any

from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import Json
from tests.integration.purchases.scenarios import Recording

COUNT = ("pending", "requires_action", "succeeded")


def expected(recording: Recording) -> list[Json]:
    """One row for each purchase."""
    return [_row(recording, purchase, end) for purchase, end in zip(recording.purchases, recording.ends, strict=True)]


def of_the_plan(recording: Recording) -> list[tuple[str, str, int]]:
    """What of refunds and disputes is the plan's that was bought on the same charge: by id, status and amount."""
    shares = []
    for invoice in recording.objects["invoice"]:
        is_bundle = len(invoice["lines"]["data"]) > 1 and all(_line(invoice, mine) for mine in recording.purchases)
        for charge in _charges(recording, invoice) if is_bundle else ():
            back = [one for one in recording.objects["refund"] if one["charge"] == charge["id"]]
            fell = [
                (one, [_share(one, back, charge, invoice, recording.purchases, mine) for mine in recording.purchases])
                for one in back
            ]
            lost = [
                (one, [_of_dispute(one, charge, invoice, mine) for mine in recording.purchases])
                for one in recording.objects["dispute"]
                if one["charge"] == charge["id"] and one["amount"] == charge["amount"]
            ]
            shares += [(one["id"], one["status"], one["amount"] - sum(of)) for one, of in [*fell, *lost] if any(of)]
    return sorted(share for share in shares if share[2])


def _row(recording: Recording, purchase: Purchase, end: Status) -> Json:
    paid = [one for one in recording.objects["invoice"] if one["status"] == "paid" and _line(one, purchase)]
    returned = recording.start is Status.CANCELLED
    money = [(one["id"], _paid_cents(_line(one, purchase)), returned) for one in paid]
    return {
        "status": end.value,
        "payable": False,
        "paid_cents": money[0][1] if money and not returned else None,
        "payments": money,
        "refunds": sorted(share for one in paid for share in _went_back(recording, one, purchase)),
        "disputes": sorted(share for one in paid for share in _disputed(recording, one, purchase)),
    }


def _line(invoice: Json, purchase: Purchase) -> Json | None:
    lines = invoice["lines"]["data"]
    named = [line for line in lines if line["metadata"].get("purchase_id") == str(purchase.id)]
    unnamed = [line for line in lines if "purchase_id" not in line["metadata"]]
    priced = [line for line in unnamed if purchase.stripe_price_id and _price(line) == purchase.stripe_price_id]
    return next(iter([*named, *priced]), None)


def _price(line: Json) -> Any:
    return ((line.get("pricing") or {}).get("price_details") or {}).get("price")


def _paid_cents(line: Json | None) -> int:
    assert line is not None
    return int(line["amount"] - sum(one["amount"] for one in line["discount_amounts"] or []))


def _charges(recording: Recording, invoice: Json) -> list[Json]:
    intents = {
        one["payment"]["payment_intent"]
        for one in recording.objects["invoice_payment"]
        if one["invoice"] == invoice["id"]
    }
    return [
        one for one in recording.objects["charge"] if one["payment_intent"] in intents and one["status"] == "succeeded"
    ]


def _went_back(recording: Recording, invoice: Json, purchase: Purchase) -> list[tuple[str, str, int]]:
    """Of a charge of its own every refund; of a bundle's what names it, and everything when everything went back."""
    shares = []
    for charge in _charges(recording, invoice):
        refunds = [one for one in recording.objects["refund"] if one["charge"] == charge["id"]]
        for refund in refunds:
            share = _share(refund, refunds, charge, invoice, recording.purchases, purchase)
            if share:
                shares.append((refund["id"], refund["status"], share))
        shares += [
            (one["id"], "succeeded", _of_dispute(one, charge, invoice, purchase))
            for one in recording.objects["dispute"]
            if one["charge"] == charge["id"] and one["status"] == "lost"
        ]
    return shares


def _share(
    refund: Json, refunds: Sequence[Json], charge: Json, invoice: Json, purchases: Sequence[Purchase], mine: Purchase
) -> int:
    if len(invoice["lines"]["data"]) == 1:
        return int(refund["amount"])
    named = refund["metadata"].get("purchase_id")
    if named is not None:
        return int(refund["amount"]) if named == str(mine.id) else 0
    if refund["amount"] == charge["amount"]:
        return _paid_cents(_line(invoice, mine))
    if sum(one["amount"] for one in refunds if one["status"] in COUNT) < charge["amount"]:
        return 0
    before = sum(one["amount"] for one in refunds if one["metadata"].get("purchase_id") == str(mine.id))
    return int(_paid_cents(_line(invoice, mine)) - before)


def _disputed(recording: Recording, invoice: Json, purchase: Purchase) -> list[tuple[str, str, int]]:
    charges = {one["id"]: one for one in _charges(recording, invoice)}
    return [
        (one["id"], one["status"], _of_dispute(one, charges[one["charge"]], invoice, purchase))
        for one in recording.objects["dispute"]
        if one["charge"] in charges
    ]


def _of_dispute(dispute: Json, charge: Json, invoice: Json, purchase: Purchase) -> int:
    whole = len(invoice["lines"]["data"]) > 1 and dispute["amount"] == charge["amount"]
    return _paid_cents(_line(invoice, purchase)) if whole else int(dispute["amount"])
