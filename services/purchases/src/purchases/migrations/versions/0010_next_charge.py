"""What a subscription is charged next: what it hangs on, and what Stripe's preview says."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

COLUMNS: dict[str, Any] = {
    "pause_behavior": sa.String(32),
    "pause_resumes_at": sa.DateTime(timezone=True),
    "collection_method": sa.String(32),
    "stripe_schedule_id": sa.Text(),
    "next_charge_at": sa.DateTime(timezone=True),
    "next_charge_cents": sa.BigInteger(),
    "next_charge_currency": sa.String(3),
    "next_charge_none": sa.String(32),
    "next_charge_as_of": sa.DateTime(timezone=True),
}
LOOK = """
    insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts)
    select 'look_at_subscription', 'look_at_subscription:' || stripe_subscription_id, stripe_subscription_id,
        jsonb_build_object('workspace_id', workspace_id), 'open', 1, now() + random() * interval '1 day', 0
    from subscriptions where status not in ('canceled', 'incomplete_expired')
    on conflict (key) do update set state = 'open', version = stripe_commands.version + 1, attempts = 0,
        ended_at = null, due_at = excluded.due_at
    where stripe_commands.state <> 'open'
"""


def upgrade() -> None:
    """Add the columns, and have Stripe asked within a day for each subscription that has not ended."""
    for name, kind in COLUMNS.items():
        op.add_column("subscriptions", sa.Column(name, kind, nullable=True))
    op.execute(LOOK)


def downgrade() -> None:
    """Drop the columns; what Stripe was asked is harmless."""
    for name in COLUMNS:
        op.drop_column("subscriptions", name)
