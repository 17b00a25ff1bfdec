"""Every fact that has a number of its own is compared with the ledger: one that is left out hides a restored copy."""

from typing import Final

import catalog.numbered
import purchases.restored.numbered
from contracts import TOPICS
from contracts.addon_facts import AddonPriceProvisioned, AddonPriceRefused
from contracts.plan_facts import PlanPriceProvisioned

LEDGERS: Final = {"catalog": catalog.numbered.LEDGER, "purchases": purchases.restored.numbered.LEDGER}
NUMBER_OF_ANOTHER: Final = frozenset({AddonPriceProvisioned, AddonPriceRefused, PlanPriceProvisioned})
"""Theirs is that of the catalog's state which they answer; made again, they say the same."""


def test_whatever_has_a_number_of_its_own_is_compared() -> None:
    kinds = {owner: tuple(one.fact for one in ledger) for owner, ledger in LEDGERS.items()}
    covered = {fact for fact, topic in TOPICS.items() if issubclass(fact, kinds.get(topic.owner, ()))}
    numbered = {fact for fact in TOPICS if "sequence" in fact.model_fields} - NUMBER_OF_ANOTHER

    assert covered == numbered
