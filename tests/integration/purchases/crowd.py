"""A ledger of 100,000 workspaces, each with a purchase that is over, and as many rows of everything else."""

from typing import Final

from chassis.database.database import Database, plain_connection

NUMBER: Final = 100_000
ID: Final = "md5('purchase ' || n)::uuid"
SOLD: Final = "now() - interval '40 days' - n * interval '1 second'"
FILL: Final = (
    """insert into workspaces (id, name, owner_user_id, owner_email, stripe_customer_id)
    select 'crowd-' || n, 'Crowd', 'user-' || n, 'owner@crowd.example', 'cus_crowd' || n""",
    f"""insert into workspace_addon_purchases (id, workspace_id, plan_addon_id, addon_slug, addon_name, price_cents,
        currency, status, payable, sequence, idempotency_key, request_fingerprint, bought_by, stripe_customer_id,
        stripe_invoice_id, stripe_payment_intent_id, stripe_charge_id, stripe_price_id, paid_cents, started_at,
        paid_at, delivered_at, updated_at)
    select {ID}, 'crowd-' || n, md5('addon')::uuid, 'crowd', 'Crowd', 49900, 'EUR', 'delivered', false, 3, 'key-' || n,
        'f', 'user:crowd', 'cus_crowd' || n, 'in_crowd' || n, 'pi_crowd' || n, 'ch_crowd' || n, 'price_crowd' || n,
        49900, {SOLD}, {SOLD}, {SOLD}, {SOLD}""",
    f"""insert into purchase_payments (purchase_id, stripe_invoice_id, paid_cents, invoice_paid_cents, shared, currency,
        returned, recorded_at)
    select {ID}, 'in_crowd' || n, 49900, 49900, false, 'EUR', false, {SOLD}""",
    f"""insert into purchase_charges (purchase_id, stripe_invoice_id, number, stripe_payment_intent_id,
        stripe_charge_id, amount_cents, amount_told)
    select {ID}, 'in_crowd' || n, 1, 'pi_crowd' || n, 'ch_crowd' || n, 49900, true""",
    f"""insert into purchase_refunds (id, purchase_id, stripe_refund_id, kind, refund_cents, currency, status,
        stripe_invoice_id, recorded_at, updated_at)
    select {ID}, {ID}, 're_crowd' || n, 'refund', 1, 'EUR', 'succeeded', 'in_crowd' || n, {SOLD}, {SOLD}""",
    f"""insert into purchase_disputes (purchase_id, stripe_dispute_id, dispute_cents, currency, status, opened_at)
    select {ID}, 'du_crowd' || n, 1, 'EUR', 'needs_response', {SOLD}""",
    f"""insert into purchase_parked_payments (purchase_id, stripe_invoice_id, amount_paid_cents, currency, reason,
        parked_at)
    select {ID}, 'in_odd' || n, 1, 'EUR', 'odd', {SOLD}""",
    f"""insert into purchase_transitions (purchase_id, sequence, to_status, trigger, stale, actor, stripe_event_id, at)
    select {ID}, 1, 'delivered', 'delivered', false, 'user:crowd', 'evt_crowd' || n, {SOLD}""",
    """insert into subscriptions (stripe_subscription_id, workspace_id, stripe_customer_id, status, started_at)
    select 'sub_crowd' || n, 'crowd-' || n, 'cus_crowd' || n, 'canceled', now()""",
    """insert into subscription_invoices (stripe_invoice_id, stripe_subscription_id, workspace_id, amount_due_cents,
        amount_paid_cents, currency)
    select 'in_plan' || n, 'sub_crowd' || n, 'crowd-' || n, 900, 900, 'EUR'""",
    """insert into subscription_charges (stripe_invoice_id, paid_with, stripe_charge_id)
    select 'in_plan' || n, 'pi_plan' || n, 'ch_plan' || n""",
    """insert into workspace_refunds (stripe_refund_id, workspace_id, stripe_subscription_id, stripe_invoice_id,
        refund_cents, whole_cents, currency, status, recorded_at, updated_at)
    select 're_plan' || n, 'crowd-' || n, 'sub_crowd' || n, 'in_plan' || n, 1, 1, 'EUR', 'succeeded',
        now() - n * interval '1 second', now()""",
    """insert into workspace_disputes (stripe_dispute_id, workspace_id, stripe_subscription_id, stripe_invoice_id,
        dispute_cents, whole_cents, currency, status, opened_at)
    select 'du_plan' || n, 'crowd-' || n, 'sub_crowd' || n, 'in_plan' || n, 1, 1, 'EUR', 'needs_response',
        now() - n * interval '1 second'""",
    f"""insert into checkout_sessions (id, workspace_id, stripe_session_id, stripe_customer_id, state, plan, interval,
        currency, stripe_price_id, purchase_ids, success_url, cancel_url, idempotency_key, request_fingerprint,
        asked_by, expires_at, created_at, updated_at)
    select {ID}, 'crowd-' || n, 'cs_crowd' || n, 'cus_crowd' || n, 'expired', 'builder', 'month', 'EUR', 'p', '[]',
        'https://a.example', 'https://a.example', 'key-' || n, 'f', 'user:crowd', now(), now(), now()""",
    """insert into workspace_resources (workspace_id, resource, resource_id) select 'crowd-' || n, 'seats', 's' || n""",
    """insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts, ended_at)
    select 'settle', state || n, 'crowd-' || n, '{}', state, 1, now() + interval '1 day', 0,
        now() - n * interval '1 second'
    from unnest(array['open', 'done', 'parked']) as state, generate_series(1, $1) as n""",
    """insert into parked (consumer, fact_id, type, topic, partition, "offset", headers, value, reason, waits_for,
        retry_at, resolved_at, resolution)
    select 'purchases', gen_random_uuid(), 'billing.stripe.refund_changed.v1', 'billing.stripe.events.v1',
        1000 + open::int, n, '[]', 'x', 'waits', 'pi_parked' || n, now() + interval '1 day',
        case when not open then now() end, case when not open then 'not ours' end
    from unnest(array[true, false]) as open, generate_series(1, $1) as n""",
    """insert into parked_decisions (item, decision, actor) select 'fact-' || n, 'retry', 'staff:amy'""",
    f"""insert into parked_decisions (item, decision, actor)
    select 'payment-' || {ID} || '-in_odd' || n, 'discard', 'staff:amy' from generate_series(1, $1, 2) as n""",
    """insert into inbox (consumer, fact_id) select 'purchases', gen_random_uuid()""",
    """insert into outbox (fact_id, topic, key, headers, payload)
    select gen_random_uuid(), 'billing.purchase.events.v1', 'k' || n, '{}', 'x'""",
)


async def fill(database: Database) -> None:
    """Fill every table that grows, and let the planner know."""
    async with plain_connection(database.url, name="crowd") as connection:
        for statement in FILL:
            rows = "" if "generate_series" in statement else " from generate_series(1, $1) as n"
            await connection.execute(statement + rows, NUMBER, timeout=120)
        await connection.execute("vacuum analyze", timeout=120)
