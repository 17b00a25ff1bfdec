"""What the ledger had forgotten, in the order in which it happened, and whose it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chassis.process.settings import ServiceSettings
from chassis.recovery.epochs import UnreadEpoch
from chassis.recovery.read_back import Sequences, greatest, published_facts
from contracts.purchase_facts import PurchaseFact, PurchaseState, RefundFailed, RefundIssued
from contracts.workspace_facts import WorkspaceFact
from purchases.restored.numbered import LEDGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """The facts that Kafka has of the stretch; of each purchase the last state, which has Stripe's ids."""

    happened: Sequence[PurchaseFact]
    states: dict[str, PurchaseState]
    workspaces: dict[str, PurchaseFact | WorkspaceFact]
    """By id the last fact that says how the workspace is called, and who owns it."""
    sequences: Sequences

    def refunds_of(self, fact: PurchaseFact) -> Sequence[RefundIssued | RefundFailed]:
        """Return the refunds of the same purchase and moment: their facts come behind the status that they led to."""
        of_it = (one for one in self.happened if (one.subject, one.occurred_at) == (fact.subject, fact.occurred_at))
        return [one for one in of_it if isinstance(one, RefundIssued | RefundFailed)]

    @property
    def subjects(self) -> Sequence[str]:
        """Return the purchases, in the order of their ids."""
        return sorted({fact.subject for fact in self.happened} | self.states.keys())


async def read_forgotten(
    settings: ServiceSettings, unread: Sequence[UnreadEpoch], *, turned: Callable[[], None]
) -> Forgotten:
    """Read the stretches. A day of them fits into memory: they are one deployment's sales since its last backup."""
    received = []
    async for one in published_facts(settings, LEDGER, unread):
        turned()
        received.append(one)
    happened: list[PurchaseFact] = []
    states: dict[str, PurchaseState] = {}
    workspaces: dict[str, PurchaseFact | WorkspaceFact] = {}
    for fact in sorted((one.fact for one in received), key=_moment):
        if isinstance(fact, PurchaseState):
            states[fact.subject] = fact
        elif isinstance(fact, PurchaseFact):
            happened.append(fact)
        if isinstance(fact, PurchaseFact | WorkspaceFact):
            workspaces[fact.workspace_id] = fact
    return Forgotten(happened=happened, states=states, workspaces=workspaces, sequences=greatest(LEDGER, received))


def _moment(fact: object) -> tuple[object, int]:
    assert isinstance(fact, PurchaseFact | WorkspaceFact)  # noqa: S101 - LEDGER has no others
    return fact.occurred_at, fact.sequence
