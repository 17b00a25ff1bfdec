"""SQL by which tests look past the service, and set back its clock."""

from typing import Final

FOLLOWING: Final = (
    "purchase_charges",
    "purchase_payments",
    "purchase_refunds",
    "purchase_parked_payments",
    "purchase_transitions",
    "stripe_commands",
    "outbox",
    "inbox",
    "parked",
)
"""What follows a purchase row."""


SET_BACK: Final = """
    update workspace_addon_purchases set status = :status, payable = :payable, leased_until = null,
    stripe_invoice_id = null, stripe_payment_intent_id = null, stripe_charge_id = null, action_url = null,
    failure_code = null, declined_at = null, paid_cents = null, refunded_from = null, paid_at = null,
    failed_at = null, cancelled_at = null, refunded_at = null, delivered_at = null
    where id = :id
"""


KNOWS: Final = "update workspace_addon_purchases set stripe_invoice_id = :invoice where id = :id"


STATE: Final = """
    select
        (select jsonb_agg(jsonb_build_array(id, sequence, status, payable) order by id)
         from workspace_addon_purchases) as purchases,
        (select jsonb_agg(jsonb_build_array(key, state, case when last_error <> '' then attempts end) order by key)
         from stripe_commands) as commands,
        (select jsonb_agg(jsonb_build_array(fact_id, resolution) order by fact_id) from parked) as parked,
        exists (select from stripe_commands where state = 'open')
            or exists (select from parked where resolved_at is null and waits_for is not null) as open
"""


REMEMBER: Final = """
    insert into purchase_transitions (purchase_id, sequence, from_status, to_status, trigger, stale, actor, at)
    values (:id, 1, :before, :after, :trigger, false, 'user:olga', now())
"""
