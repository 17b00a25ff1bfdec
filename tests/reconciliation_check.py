"""Check that Stripe's sums, the ledger, its history, the facts on Kafka and the mails reconcile, each counted alone."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from contracts import PURCHASE_EVENTS, PURCHASE_STATE, Envelope
from contracts import purchase_facts as facts
from purchases.ledger.transitions import TRANSITIONS, Status, Trigger
from sandbox.driver import TEAM, Driver
from sandbox.reconciliation_check import sold_once
from sandbox.shop import Shop

Json = dict[str, Any]
Published = Sequence[tuple[Envelope, Json]]

STAMPS: Final[Mapping[str, str]] = {
    "paid": "paid_at",
    "delivered": "delivered_at",
    "failed": "failed_at",
    "cancelled": "cancelled_at",
    "refunded": "refunded_at",
}
MAILED: Final[Mapping[str, str]] = {
    facts.PurchasePaid.TYPE: "New purchase",
    facts.RefundIssued.TYPE: "Your refund",
    facts.RefundFailed.TYPE: "Refund failed",
    facts.PaymentReturned.TYPE: "Payment returned",
    facts.PaymentParked.TYPE: "Payment needs a look",
    facts.MoneyBackParked.TYPE: "Money back needs a look",
    facts.MoneyOverReturned.TYPE: "Too much went back",
    facts.DisputeOpened.TYPE: "Dispute opened",
    facts.DisputeClosed.TYPE: "Dispute closed",
    facts.PurchaseCancelled.TYPE: "Cancelled after payment",
}
"""The facts that are mailed, and how the subject begins; RefundIssued goes to the owner, the others to the team."""
UNDONE: Final = "The refund"
"""How the owner's mail begins about a refund that was announced as made, and failed."""


async def check_reconciliation(
    driver: Driver, *shops: Shop, facts_may_repeat: bool = False, mails_may_repeat: bool = False
) -> None:
    """Raise AssertionError where something does not add up in these workspaces.

    A fact may stand twice on Kafka, and a mail in the box, only where a crash is allowed to repeat it: unchanged.
    """
    sums = await driver.stripe.sums()
    for shop in shops:
        ledger = await _ledger_sums(driver, shop)
        if shop.customer_id in sums["plans"]:
            assert _less_the_plan(sums, shop) == {name: _figures(row) for name, row in ledger.items()}
        else:
            assert _as_currencies(sums["customers"].get(shop.customer_id, {})) == ledger
        await _lost_disputes_agree(driver, shop, sums)
        await _credit_agrees(driver, shop, sums)
    published = [
        (envelope, json.loads(body)) for envelope, body in await driver.inspector.facts(PURCHASE_EVENTS, PURCHASE_STATE)
    ]
    for shop in shops:
        for purchase in await purchases_of(driver, shop):
            history = await history_of(driver, purchase)
            _history_replays_to_row(purchase, history)
            own = [(envelope, body) for envelope, body in published if body["purchase_id"] == str(purchase["id"])]
            _facts_follow_history(purchase, history, own, may_repeat=facts_may_repeat)
            await _refunds_are_announced(driver, purchase, own)
            await _mails_follow_facts(driver, shop, purchase, own, may_repeat=mails_may_repeat)


async def purchases_of(driver: Driver, shop: Shop) -> list[Json]:
    """The ledger's rows of a workspace, oldest first."""
    query = "select * from workspace_addon_purchases where workspace_id = $1 order by started_at"
    return await driver.inspector.rows("purchases", query, shop.workspace_id)


async def history_of(driver: Driver, purchase: Json) -> list[Json]:
    """The lines of its history, oldest first."""
    query = "select * from purchase_transitions where purchase_id = $1 order by id"
    return await driver.inspector.rows("purchases", query, purchase["id"])


def _less_the_plan(sums: Json, shop: Shop) -> Json:
    """Captured and refunded for add-ons; how often says nothing, since one charge pays a whole bundle."""
    sold = sold_once(sums, shop.customer_id)
    return {currency.upper(): figures for currency, figures in sold.items() if any(figures)}


def _figures(row: Json) -> tuple[int, int]:
    return row["captured"], row["refunded"]


def _as_currencies(sums: Json) -> Json:
    return {currency.upper(): figures for currency, figures in sums.items()}


async def _ledger_sums(driver: Driver, shop: Shop) -> Json:
    query = """
        with money as (
            select purchase_id, currency,
                   case when shared then paid_cents - credit_cents - off_stripe_cents else invoice_paid_cents end
                       as captured,
                   0 as refunded, case when invoice_paid_cents > 0 then 1 else 0 end as payments, 0 as refunds
            from purchase_payments
            union all
            select purchase_id, currency, 0, refund_cents, 0, 1 from purchase_refunds
            where status in ('pending', 'succeeded') and kind in ('refund', 'return')
        )
        select money.currency, sum(captured)::bigint as captured, sum(refunded)::bigint as refunded,
               sum(payments)::int as payments, sum(refunds)::int as refunds
        from money join workspace_addon_purchases on id = purchase_id where workspace_id = $1 group by 1
    """
    rows = await driver.inspector.rows("purchases", query, shop.workspace_id)
    # Of what no charge paid Stripe's sums of charges say nothing.
    return {row.pop("currency"): row for row in rows if row["captured"] or row["refunded"]}


async def _lost_disputes_agree(driver: Driver, shop: Shop, sums: Json) -> None:
    """What banks took for good; of a bundle's charge the plan's part is not in the ledger."""
    query = """
        select refund.currency, sum(refund_cents)::bigint as lost
        from purchase_refunds refund join workspace_addon_purchases purchase on purchase.id = purchase_id
        where workspace_id = $1 and kind = 'dispute' and refund.status = 'succeeded' group by 1
    """
    rows = await driver.inspector.rows("purchases", query, shop.workspace_id)
    ledger = {row["currency"]: row["lost"] for row in rows}
    lost = _as_currencies(sums["lost"].get(shop.customer_id, {}))
    if shop.customer_id in sums["plans"]:
        assert all(cents <= lost.get(currency, 0) for currency, cents in ledger.items())
    else:
        assert lost == ledger


async def _credit_agrees(driver: Driver, shop: Shop, sums: Json) -> None:
    """What the customer's balance paid, and what of that we gave back; of a bundle the plan's part is not here."""
    query = """
        select coalesce((select sum(credit_cents) from purchase_payments join workspace_addon_purchases bought
                         on bought.id = purchase_id where workspace_id = $1), 0)::bigint as applied,
            coalesce((select sum(refund_cents) from purchase_refunds refund join workspace_addon_purchases bought
                      on bought.id = purchase_id where workspace_id = $1 and kind = 'credit'
                      and refund.status = 'succeeded'), 0)::bigint as given_back
    """
    (ledger,) = await driver.inspector.rows("purchases", query, shop.workspace_id)
    at_stripe = sums["credit"].get(shop.customer_id, {}).values()
    applied, given_back = (sum(one[name] for one in at_stripe) for name in ("applied", "given_back"))
    assert ledger["given_back"] == given_back
    assert ledger["applied"] <= applied if shop.customer_id in sums["plans"] else ledger["applied"] == applied


def _history_replays_to_row(purchase: Json, history: Sequence[Json]) -> None:
    row: Json = {"status": None} | dict.fromkeys(STAMPS.values())
    for line in history:
        assert row["status"] == line["from_status"]
        if line["stale"]:
            assert line["to_status"] == line["from_status"]
        else:
            assert line["to_status"] == _next_status(line)
            row = _moved(row, line)
    assert row == {name: purchase[name] for name in row}


def _next_status(line: Json) -> str:
    if line["from_status"] is None:
        assert line["trigger"] == "bought"
        return "pending"
    return TRANSITIONS[Status(line["from_status"]), Trigger(line["trigger"])].status.value


def _moved(row: Json, line: Json) -> Json:
    moved = row | {"status": line["to_status"]}
    if line["from_status"] == "refunded":
        return moved | {"refunded_at": None}
    if line["from_status"] == "failed":
        moved |= {"failed_at": None}
    return moved | ({STAMPS[line["to_status"]]: line["at"]} if line["to_status"] in STAMPS else {})


def _facts_follow_history(purchase: Json, history: Sequence[Json], own: Published, *, may_repeat: bool) -> None:
    sequences = list(range(1, purchase["sequence"] + 1))
    states = [(e, body) for e, body in own if e.type == facts.PurchaseState.TYPE]
    events = [(e, body) for e, body in own if e.type != facts.PurchaseState.TYPE]
    for stream in (states, events):
        once = _without_repetitions(stream)
        assert [body["sequence"] for _, body in once] == sequences
        assert may_repeat or len(stream) == len(once)
    types = {body["sequence"]: (e.type, body["status"]) for e, body in events}
    for line in history:
        if not line["stale"]:
            assert types[line["sequence"]] == (_fact_of(line).TYPE, line["to_status"])
    last = states[-1][1] if not may_repeat else max((body for _, body in states), key=lambda body: body["sequence"])
    # Ids that are learned between two changes are published with the next one.
    published = {name: last[name] for name in ("status", "paid_cents", *STAMPS.values())}
    published |= {name: published[name] and datetime.fromisoformat(published[name]) for name in STAMPS.values()}
    assert published == {name: purchase[name] for name in published}


def _without_repetitions(stream: Published) -> Published:
    """The first of each; a repetition must be the same in every byte that counts."""
    first: dict[int, tuple[Envelope, Json]] = {}
    for envelope, body in stream:
        seen, seen_body = first.setdefault(body["sequence"], (envelope, body))
        assert (seen.id, seen.type, seen_body) == (envelope.id, envelope.type, body)
    return list(first.values())


def _fact_of(line: Json) -> type[facts.PurchaseFact]:
    if line["from_status"] is None:
        return facts.PurchaseStarted
    step = TRANSITIONS[Status(line["from_status"]), Trigger(line["trigger"])]
    fact: type[facts.PurchaseFact] = getattr(facts, step.fact.value)
    return fact


async def _refunds_are_announced(driver: Driver, purchase: Json, own: Published) -> None:
    """RefundIssued and RefundFailed, each once per refund; nothing of one on which Stripe has not spoken."""
    query = """
        select id::text, status from purchase_refunds
        where purchase_id = $1 and kind <> 'dispute' and status <> 'requested'
    """
    rows = await driver.inspector.rows("purchases", query, purchase["id"])
    once = _without_repetitions([(e, body) for e, body in own if e.type != facts.PurchaseState.TYPE])
    published = Counter((e.type, body["refund_id"]) for e, body in once if "refund_id" in body)
    over = {row["id"] for row in rows if row["status"] in {"failed", "canceled"}}
    expected = {(facts.RefundFailed.TYPE, refund): 1 for refund in over}
    expected |= {(facts.RefundIssued.TYPE, row["id"]): 1 for row in rows if _was_issued(row, published)}
    assert expected == dict(published)


def _was_issued(row: Json, published: Counter[tuple[str, str]]) -> bool:
    """One that was over when we first heard of it, or that Stripe refused, was never announced as issued."""
    over = row["status"] in {"failed", "canceled"}
    return not over or (facts.RefundIssued.TYPE, row["id"]) in published


async def _mails_follow_facts(driver: Driver, shop: Shop, purchase: Json, own: Published, *, may_repeat: bool) -> None:
    published = {(e.type, body["sequence"]): e.type for e, body in own if _is_mailed(e.type, body)}
    expected = Counter((MAILED[type_], _reader(type_, shop)) for type_ in published.values())
    undone = {body["sequence"] for e, body in own if e.type == facts.RefundFailed.TYPE and body["was_issued"]}
    expected += Counter({(UNDONE, shop.owner_email): len(undone)} if undone else {})
    mails = await driver.mails_naming(str(purchase["id"]))
    if may_repeat:
        mails = list({mail["MessageID"]: mail for mail in mails}.values())
    assert expected == Counter((_kind(mail), mail["To"][0]["Address"]) for mail in mails)


def _is_mailed(fact_type: str, body: Json) -> bool:
    """A purchase that nobody had paid for is cancelled without a mail."""
    unpaid = fact_type == facts.PurchaseCancelled.TYPE and body["previous_status"] not in {"paid", "delivered"}
    return fact_type in MAILED and not unpaid


def _reader(fact_type: str, shop: Shop) -> str:
    return shop.owner_email if fact_type == facts.RefundIssued.TYPE else TEAM


def _kind(mail: Json) -> str:
    subject: str = mail["Subject"]
    return next((begins for begins in (*MAILED.values(), UNDONE) if subject.startswith(begins)), subject)
