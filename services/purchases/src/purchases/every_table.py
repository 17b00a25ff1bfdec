"""Every table of this service's database, for the migrations and for tests that compare them."""

from typing import Final

from purchases.batch import rows as batch
from purchases.caps import rows as caps
from purchases.catalog_copy import rows as catalog_copy
from purchases.checkout import rows as checkout
from purchases.jobs import rows as jobs
from purchases.ledger import plan_rows
from purchases.ledger import rows as ledger
from purchases.parked import rows as parked
from purchases.reconcile import rows as reconcile
from purchases.stripe_budgets import rows as budgets
from purchases.stripe_refusals import rows as refusals
from purchases.subscriptions import rows as subscriptions
from purchases.tables import Row
from purchases.workspaces import rows as workspaces

ROWS: Final = (
    batch,
    budgets,
    caps,
    catalog_copy,
    checkout,
    jobs,
    ledger,
    plan_rows,
    parked,
    reconcile,
    refusals,
    subscriptions,
    workspaces,
)
METADATA: Final = Row.metadata
