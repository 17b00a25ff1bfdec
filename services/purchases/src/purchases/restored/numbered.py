"""Which rows number the facts that purchases publishes, and which of what was sent is kept."""

from typing import Final

from chassis.recovery.numbered import Numbered
from contracts.purchase_facts import PurchaseFact
from contracts.topics import ALL_TOPICS
from contracts.workspace_facts import WorkspaceFact

LEDGER: Final = (
    Numbered(fact=PurchaseFact, table="workspace_addon_purchases"),
    Numbered(fact=WorkspaceFact, table="workspaces", key_type="text"),
)
"""Prices and ended sessions are no history: made again, they say the same."""
KEEPS: Final = frozenset(topic.name for topic in ALL_TOPICS if topic.owner == "purchases")
"""The topics whose sent facts are kept."""
