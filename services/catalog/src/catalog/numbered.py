"""Which rows number the facts that the catalog publishes."""

from typing import Final

from chassis.recovery.numbered import Numbered
from contracts import AddonState, PlanState

LEDGER: Final = (
    Numbered(fact=AddonState, table="plan_addons"),
    Numbered(fact=PlanState, table="plans", key="slug", key_type="text"),
)
