"""Check that ledger, history, Kafka's facts, Stripe's money and the mail box reconcile, each counted on its own."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from contracts import PURCHASE_EVENTS, PURCHASE_STATE
from sandbox.driver import TEAM, Driver
from sandbox.plan_reconciliation_check import plan_disagreements

Json = dict[str, Any]

TRIGGER_FACTS: Final = {
    "pending": "billing.purchase.started.v1",
    "paid": "billing.purchase.paid.v1",
    "delivered": "billing.purchase.delivered.v1",
    "failed": "billing.purchase.failed.v1",
    "cancelled": "billing.purchase.cancelled.v1",
    "refunded": "billing.purchase.refunded.v1",
}
"""The fact that tells of each status; read from the specification, not from the code that publishes it."""
RESTORED: Final = "billing.purchase.restored.v1"
REOPENED: Final = "billing.purchase.reopened.v1"
PAID: Final = "billing.purchase.paid.v1"
CANCELLED: Final = "billing.purchase.cancelled.v1"
REFUND: Final = "billing.refund.issued.v1"


@dataclass(frozen=True, slots=True)
class PublishedFact:
    """One fact as it stands on the topic."""

    id: str
    type: str
    body: Json


async def disagreements(
    driver: Driver, *, workspaces: Iterable[str] | None = None, repeated_mails: bool = False
) -> list[str]:
    """Return everything that does not agree, in words; of these workspaces, or of all."""
    wanted = set(workspaces) if workspaces is not None else None
    facts = [
        fact
        for fact in [
            PublishedFact(str(envelope.id), envelope.type, json.loads(value))
            for envelope, value in await driver.inspector.facts(PURCHASE_EVENTS, PURCHASE_STATE)
        ]
        if wanted is None or fact.body["workspace_id"] in wanted
    ]
    records = await _records(driver, wanted)
    found = [fault for record in records for fault in _history_faults(record) + _fact_faults(record, facts)]
    found += await _money_faults(driver, records) + await plan_disagreements(driver, wanted)
    return found + await _mail_faults(driver, facts, repeated=repeated_mails)


async def _records(driver: Driver, wanted: set[str] | None) -> list[Json]:
    rows = await driver.inspector.rows("purchases", "select id, workspace_id from workspace_addon_purchases")
    return [await driver.record(str(row["id"])) for row in rows if wanted is None or row["workspace_id"] in wanted]


def _history_faults(record: Json) -> list[str]:
    """Replaying the history gives the row."""
    moves = [line for line in record["history"] if not line["stale"]]
    name = f"purchase {record['id']}"
    faults = [f"{name}: the history starts with {moves[0]['from_status']}"] if moves[0]["from_status"] else []
    faults += [
        f"{name}: {later['trigger']} starts from {later['from_status']}, not {earlier['to_status']}"
        for earlier, later in pairwise(moves)
        if later["from_status"] != earlier["to_status"]
    ]
    if moves[-1]["to_status"] != record["status"]:
        faults.append(f"{name}: the history ends {moves[-1]['to_status']}, the row is {record['status']}")
    return faults


def _fact_faults(record: Json, facts: Sequence[PublishedFact]) -> list[str]:
    """Check that each transition has its fact, in order, under one id; the last state is the row's."""
    own = _first_of_each([fact for fact in facts if fact.body["purchase_id"] == record["id"]])
    events = [fact for fact in own if fact.type != "billing.purchase.state.v1"]
    states = [fact for fact in own if fact.type == "billing.purchase.state.v1"]
    published = {fact.body["sequence"]: fact.type for fact in events}
    name = f"purchase {record['id']}"
    faults = [
        f"{name}: {line['trigger']} was published as {published.get(line['sequence'])}"
        for line in record["history"]
        if not line["stale"] and published.get(line["sequence"]) not in _expected(line)
    ]
    sequences = [fact.body["sequence"] for fact in events]
    if sequences != list(range(1, record["sequence"] + 1)):
        faults.append(f"{name}: facts {sequences} of {record['sequence']}")
    if not states or states[-1].body["status"] != record["status"]:
        faults.append(f"{name}: the last state published is not {record['status']}")
    return faults


def _first_of_each(facts: Iterable[PublishedFact]) -> list[PublishedFact]:
    first: dict[str, PublishedFact] = {}
    for fact in facts:
        first.setdefault(fact.id, fact)
    return list(first.values())


def _expected(line: Json) -> set[str]:
    if line["from_status"] == "refunded":
        return {RESTORED}
    return {TRIGGER_FACTS[line["to_status"]]} | ({REOPENED} if line["trigger"] == "reopened" else set())


async def _money_faults(driver: Driver, records: Sequence[Json]) -> list[str]:
    """Compare with the ledger what Stripe captured and refunded for add-ons, counted there."""
    sums = await driver.stripe.sums()
    captured, refunded = await _ledger_sums(driver, {record["id"] for record in records})
    faults = []
    for customer in {record["stripe_customer_id"] for record in records}:
        at_stripe = sold_once(sums, customer)
        for currency in {*at_stripe, *(c for who, c in captured if who == customer)}:
            ours, theirs = (captured[customer, currency], refunded[customer, currency]), at_stripe.get(currency, (0, 0))
            if ours != theirs:
                faults.append(f"{customer}: the ledger has {ours} {currency}, Stripe {theirs}")
    return faults


def sold_once(sums: Json, customer: str) -> dict[str, tuple[int, int]]:
    """Out of Stripe's sums: captured and refunded by currency, less what paid for the plan's periods."""
    plans = sums["plans"].get(customer, {})
    none = {"captured": 0, "refunded": 0}
    return {
        currency: (
            figures["captured"] - plans.get(currency, none)["captured"],
            figures["refunded"] - plans.get(currency, none)["refunded"],
        )
        for currency, figures in sums["customers"].get(customer, {}).items()
    }


async def _ledger_sums(
    driver: Driver, purchase_ids: set[str]
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    query = """
        select purchase_id::text as id, stripe_customer_id as customer, lower(m.currency) as currency, cents
        from {money} m join workspace_addon_purchases p on p.id = m.purchase_id
    """
    paid = """(select purchase_id, currency, paid_cents - credit_cents - off_stripe_cents as cents
               from purchase_payments)"""
    back = """(select purchase_id, currency, refund_cents as cents from purchase_refunds
               where status in ('pending', 'requires_action', 'succeeded') and kind <> 'credit')"""
    sums: list[Counter[tuple[str, str]]] = []
    for money in (paid, back):
        total: Counter[tuple[str, str]] = Counter()
        for row in await driver.inspector.rows("purchases", query.format(money=money)):
            if row["id"] in purchase_ids:
                total[row["customer"], row["currency"]] += row["cents"]
        sums.append(total)
    return sums[0], sums[1]


async def _mail_faults(driver: Driver, facts: Sequence[PublishedFact], *, repeated: bool) -> list[str]:
    """One mail for each fact that is mailed; a second one (`repeated`) only under the same Message-ID."""
    faults = []
    for one in _first_of_each([fact for fact in facts if fact.type == PAID]):
        mails = await _mails(driver, to=TEAM, subject="New purchase", names=one.body["purchase_id"])
        faults += _unless(1, mails, repeated, f"the team's mails about {one.body['purchase_id']}")
    for one in _first_of_each([fact for fact in facts if fact.type == CANCELLED]):
        mails = await _mails(driver, to=TEAM, subject="Cancelled after payment", names=one.body["purchase_id"])
        expected = int(one.body["previous_status"] in {"paid", "delivered"})
        faults += _unless(expected, mails, repeated, f"the team's mails that {one.body['purchase_id']} is cancelled")
    refunds = Counter(fact.body["owner_email"] for fact in _first_of_each(facts) if fact.type == REFUND)
    for owner, expected in refunds.items():
        mails = await _mails(driver, to=owner, subject="Your refund", names="")
        faults += _unless(expected, mails, repeated, f"the refund mails to {owner}")
    return faults


async def _mails(driver: Driver, *, to: str, subject: str, names: str) -> list[str]:
    """Message-IDs, one per mail that arrived."""
    found = []
    for mail in await driver.mails_to(to):
        if mail["Subject"].startswith(subject):
            whole = (await driver.http.get(f"{driver.stack.mailbox_url}/api/v1/message/{mail['ID']}")).json()
            if names in whole["Text"]:
                found.append(str(whole["MessageID"]))
    return found


def _unless(expected: int, mails: Sequence[str], repeated: bool, what: str) -> list[str]:
    actual = len(set(mails)) if repeated else len(mails)
    return [] if actual == expected else [f"{what}: {actual}, not {expected}"]
