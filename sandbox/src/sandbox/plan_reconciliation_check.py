"""Check that the plan reconciles: Stripe's subscriptions and money, our rows, Kafka's facts and the mails."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

from contracts import WORKSPACE_EVENTS
from sandbox.driver import Driver

Json = dict[str, Any]

GRANTING: Final = {"active", "trialing", "past_due", "unpaid"}
"""Stripe's statuses in which a workspace has Builder; read from the specification, not from the code that decides."""
PLAN_CHANGED: Final = "billing.workspace.plan_changed.v1"
RENEWAL_FAILED: Final = "billing.workspace.renewal_failed.v1"


async def plan_disagreements(driver: Driver, workspaces: set[str] | None) -> list[str]:
    """Return everything about plans that does not agree, in words; of these workspaces, or of all."""
    rows = await driver.inspector.rows("purchases", "select * from workspaces where stripe_customer_id is not null")
    published: dict[str, dict[str, tuple[str, Json]]] = {}
    for envelope, value in await driver.inspector.facts(WORKSPACE_EVENTS):
        fact = json.loads(value)
        published.setdefault(fact["workspace_id"], {}).setdefault(str(envelope.id), (envelope.type, fact))
    at_stripe = (await driver.stripe.objects(kind="subscription")).get("subscription", [])
    found = []
    for row in rows:
        if workspaces is None or row["id"] in workspaces:
            facts = sorted(published.get(row["id"], {}).values(), key=lambda one: int(one[1]["sequence"]))
            theirs = [one for one in at_stripe if one["customer"] == row["stripe_customer_id"]]
            faults = _fact_faults(row, facts) + await _stripe_faults(driver, row, theirs)
            found += [f"plan of {row['id']}: {fault}" for fault in faults + await _mail_faults(driver, row, facts)]
    return found + await _money_faults(driver, rows, workspaces)


def _fact_faults(row: Json, facts: Sequence[tuple[str, Json]]) -> list[str]:
    """Check that each change has its fact, one plan follows the other, and the last one is the row's."""
    sequences = [fact["sequence"] for _, fact in facts]
    faults = [] if sequences == list(range(1, row["sequence"] + 1)) else [f"facts {sequences} of {row['sequence']}"]
    changes = [(fact["previous_plan"], fact["plan"]) for type_, fact in facts if type_ == PLAN_CHANGED]
    plans = [("", "free"), *changes, (row["plan"], "")]
    return faults + [
        f"{after} is followed by {before}" for (_, after), (before, _) in pairwise(plans) if after != before
    ]


async def _stripe_faults(driver: Driver, row: Json, theirs: Iterable[Json]) -> list[str]:
    """Our subscriptions are in Stripe's statuses, and the plan is what they grant."""
    query = "select stripe_subscription_id, status from subscriptions where workspace_id = $1"
    rows = await driver.inspector.rows("purchases", query, row["id"])
    ours = {one["stripe_subscription_id"]: one["status"] for one in rows}
    at_stripe = {one["id"]: one["status"] for one in theirs}
    plan = "builder" if GRANTING & set(at_stripe.values()) else "free"
    faults = [] if ours == at_stripe else [f"subscriptions {ours}, at Stripe {at_stripe}"]
    return faults if row["plan"] == plan else [*faults, f"{row['plan']}, by Stripe {plan}"]


async def _mail_faults(driver: Driver, row: Json, facts: Sequence[tuple[str, Json]]) -> list[str]:
    """Check that the owner has one mail for each invoice that failed."""
    failed = Counter(fact["owner_email"] for type_, fact in facts if type_ == RENEWAL_FAILED)
    mails = await driver.mails_to(row["owner_email"])
    about = sum(mail["Subject"].startswith("Payment failed") for mail in mails)
    expected = failed[row["owner_email"]]
    return [] if about == expected else [f"{about} mails about failed renewals, not {expected}"]


BROUGHT: Final = """
    select w.stripe_customer_id as customer, lower(i.currency) as currency,
           sum(i.amount_paid_cents - coalesce(addons.cents, 0))::bigint as cents
    from subscription_invoices i join workspaces w on w.id = i.workspace_id
    left join (select stripe_invoice_id, sum(paid_cents) as cents from purchase_payments group by 1) addons
           using (stripe_invoice_id)
    group by 1, 2
"""
GAVE_BACK: Final = """
    select w.stripe_customer_id as customer, lower(r.currency) as currency, sum(r.refund_cents)::bigint as cents
    from workspace_refunds r join workspaces w on w.id = r.workspace_id
    where r.status in ('pending', 'requires_action', 'succeeded') group by 1, 2
"""
FIGURES: Final = {"captured": ("brought", BROUGHT), "refunded": ("gave back", GAVE_BACK)}
"""Stripe's figure of the plan, what it is in words, and ours."""


async def _money_faults(driver: Driver, rows: Sequence[Json], workspaces: set[str] | None) -> list[str]:
    """Compare with Stripe what the plan's invoices brought, less the add-ons on them, and what of it went back."""
    sums = (await driver.stripe.sums())["plans"]
    wanted = {row["stripe_customer_id"] for row in rows if workspaces is None or row["id"] in workspaces}
    faults = []
    for figure, (words, query) in FIGURES.items():
        counted = await driver.inspector.rows("purchases", query)
        ours = {(one["customer"], one["currency"]): one["cents"] for one in counted}
        theirs = {
            (who, currency): figures[figure] for who, money in sums.items() for currency, figures in money.items()
        }
        faults += [
            f"{who}: the plan {words} {ours.get((who, currency), 0)} {currency},"
            f" at Stripe {theirs.get((who, currency), 0)}"
            for who, currency in sorted({*ours, *theirs})
            if who in wanted and ours.get((who, currency), 0) != theirs.get((who, currency), 0)
        ]
    return faults
