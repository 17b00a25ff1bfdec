"""Which rows number the facts that purchases publishes; the others have no number of their own."""

from typing import Final

from chassis.recovery.numbered import Numbered
from contracts.purchase_facts import PurchaseFact
from contracts.workspace_facts import WorkspaceFact

LEDGER: Final = (
    Numbered(fact=PurchaseFact, table="workspace_addon_purchases"),
    Numbered(fact=WorkspaceFact, table="workspaces", key_type="text"),
)
"""Prices and ended sessions are no history: made again, they say the same."""
