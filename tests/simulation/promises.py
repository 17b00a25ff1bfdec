"""What must hold after each commit, and what once everything has healed; counted from rows and from Stripe alone."""

from collections import Counter, defaultdict
from typing import Any, Final

from purchases.ledger.transitions import TRANSITIONS, Status, Trigger
from tests.integration.purchases.harness import PRICE
from tests.simulation.world import World

ALWAYS: Final = """
    select
        (select array_agg(id) from workspace_addon_purchases purchase where sequence <
            (select max(sequence) from purchase_transitions where purchase_id = purchase.id)) as "P4: sequence",
        (select array_agg(id) from workspace_addon_purchases purchase where status::text is distinct from
            (select to_status::text from purchase_transitions where purchase_id = purchase.id
             order by id desc limit 1)) as "P4: status",
        (select array_agg(purchase_id) from (
            select purchase_id, sum(refund_cents) as cents from purchase_refunds
            where status in ('pending', 'succeeded') and kind <> 'dispute' group by 1) back
         where cents > (select coalesce(sum(paid_cents), 0) from purchase_payments
                        where purchase_id = back.purchase_id)) as "P6: more went back than came",
        (select array_agg(id) from workspace_addon_purchases purchase where status in ('paid', 'delivered')
            and not exists (select from purchase_payments where purchase_id = purchase.id)) as "P3: no payment",
        (select array_agg(fact_id) from (select fact_id from outbox group by 1 having count(*) > 1) twice)
            as "P10: one fact twice",
        (select array_agg(workspace_id) from (
            select workspace_id, plan_addon_id from workspace_addon_purchases
            where status in ('pending', 'paid', 'delivered') group by 1, 2 having count(*) > 1) held)
            as "P1: two hold one slot"
"""
HISTORY: Final = "select * from purchase_transitions order by id"
MONEY: Final = """
    select purchase.id, purchase.status::text,
        (select coalesce(sum(paid_cents), 0) from purchase_payments where purchase_id = purchase.id)::bigint as paid,
        (select coalesce(sum(refund_cents), 0) from purchase_refunds where purchase_id = purchase.id
            and kind <> 'dispute' and status in ('pending', 'succeeded'))::bigint as back
    from workspace_addon_purchases purchase
"""
LEFT: Final = """
    select 'job ' || kind || ' ' || state || coalesce(': ' || last_error, '') as what from stripe_commands
    where state = 'parked'
        or (state = 'open' and kind in ('settle', 'void', 'refund', 'return_payment', 'return_credit'))
    union all select 'fact ' || type || ': ' || reason from parked where resolved_at is null
    union all select 'purchase pending' from workspace_addon_purchases where status = 'pending'
"""
TWICE: Final = """
    select purchase as key from (
        select purchase, topic, count(*) as facts, count(distinct sequence) as numbers, max(sequence) as last
        from (select topic, body->>'purchase_id' as purchase, (body->>'sequence')::int as sequence
              from outbox, lateral (select convert_from(payload, 'utf8')::jsonb) as read (body)
              where topic like 'billing.purchase.%') published
        group by 1, 2) each
    where facts <> numbers or last <> numbers
"""
"""Purchases whose published facts, or states, are not numbered 1, 2, 3 …, each once."""


async def hold_always(world: World) -> None:
    """Raise AssertionError where one that holds at every moment does not."""
    (broken,) = await world.harness.rows(ALWAYS)
    assert not any(broken.values()), {name: ids for name, ids in broken.items() if ids}


async def hold_when_healed(world: World) -> None:
    """Raise AssertionError where ledger and Stripe differ, or something is left to do."""
    await hold_always(world)
    assert [row["what"] for row in await world.harness.rows(LEFT)] == []
    ledger = {str(row["id"]): row for row in await world.harness.rows(MONEY)}
    stripe = await _money_at_stripe(world)
    published = {str(row["key"]) for row in await world.harness.rows(TWICE)}
    assert published == set(), "P10: a number of a purchase was used twice or passed over"
    assert {one: (row["paid"], row["back"]) for one, row in ledger.items() if row["paid"]} == stripe
    for one, (paid, back) in stripe.items():
        assert paid - back <= PRICE, f"P1: {one} was paid {paid} and got {back} back"
    await _histories_replay(world, ledger)
    assert world.said.paid <= {row["id"] for row in ledger.values() if row["paid"]}, "paid, as a client was answered"


async def _money_at_stripe(world: World) -> dict[str, tuple[int, int]]:
    """By purchase: what its invoices' charges took, and what of that went back."""
    objects = await world.control.objects()
    paid: Counter[str] = Counter()
    back: Counter[str] = Counter()
    paid_by: dict[str, str] = {}
    owner: dict[str, str] = {}
    for invoice in objects.get("invoice", []):
        if invoice["status"] == "paid" and (purchase := invoice["metadata"].get("purchase_id")):
            paid[purchase] += invoice["amount_paid"]
            paid_by[invoice["id"]] = purchase
    for payment in objects.get("invoice_payment", []):
        if purchase := paid_by.get(payment["invoice"], ""):
            owner[payment["payment"]["payment_intent"]] = purchase
    for refund in objects.get("refund", []):
        if refund["status"] in {"pending", "succeeded"}:
            back[owner[refund["payment_intent"]]] += refund["amount"]
    return {purchase: (cents, back[purchase]) for purchase, cents in paid.items() if cents}


async def _histories_replay(world: World, ledger: dict[str, Any]) -> None:
    statuses: dict[str, str | None] = defaultdict(lambda: None)
    for line in await world.harness.rows(HISTORY):
        purchase = str(line["purchase_id"])
        assert statuses[purchase] == line["from_status"], "P4"
        before = statuses[purchase]
        if not line["stale"] and before is not None:
            step = TRANSITIONS[Status(before), Trigger(line["trigger"])]
            assert step.status.value == line["to_status"], "P4"
        statuses[purchase] = line["to_status"]
    assert {purchase: row["status"] for purchase, row in ledger.items()} == dict(statuses)
