"""Copies of a recording: the same facts about rows and ids of their own, so that many orders are heard in one round."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Final, cast

from sqlalchemy import insert
from stripe import StripeClient

from chassis.process.health import Health
from contracts.stripe_facts import StripeFact
from purchases.ledger.rows import Purchase, Transition
from purchases.ledger.transitions import Status
from purchases.worker.run_jobs import JobsLoop
from purchases.workspaces.rows import Workspace
from tests.integration.purchases.harness import Harness, Json
from tests.integration.purchases.replayed_stripe import ReplayedStripe, id_of_copy, of_copy
from tests.integration.purchases.scenarios import Recording
from tests.integration.purchases.statements import FOLLOWING

CARRIERS: Final = 3
RECORDS: Final = 400
"""Of one batch off Kafka."""
KNOWN_LATER: Final = ("stripe_invoice_id", "stripe_payment_intent_id", "stripe_charge_id", "stripe_subscription_id")


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One case: a recording, the version that Stripe reports it in, and what is delivered in each phase."""

    number: int
    recording: Recording
    version: str | None
    phases: Sequence[Sequence[int]]

    @property
    def name(self) -> str:
        return f"{self.number:04x}"

    @cached_property
    def facts(self) -> list[StripeFact]:
        """Return what Stripe reported, about this copy."""
        facts = self.recording.facts[self.version]
        return [type(fact).model_validate_json(of_copy(fact.model_dump_json(), self.name)) for fact in facts]

    def heard_in(self, phase: int) -> Iterator[StripeFact]:
        return (self.facts[index] for index in self.phases[phase])

    @property
    def heard(self) -> list[list[str]]:
        """Return for people what is delivered in which phase."""
        return [[fact.stripe_event_type for fact in self.heard_in(phase)] for phase in range(len(self.phases))]

    @property
    def workspace_id(self) -> str:
        return of_copy(self.recording.purchases[0].workspace_id, self.name)

    @property
    def purchase_ids(self) -> list[str]:
        return [id_of_copy(str(purchase.id), self.name) for purchase in self.recording.purchases]


async def plant(harness: Harness, copies: Sequence[Copy]) -> None:
    """An empty ledger with the rows of each copy as they stood when Stripe began to report."""
    await harness.execute(f"truncate {', '.join((*FOLLOWING, 'workspace_addon_purchases', 'workspaces'))} cascade")
    sold = [(copy, purchase) for copy in copies for purchase in copy.recording.purchases]
    async with harness.database.transaction() as session:
        await session.execute(insert(Workspace), [_workspace(copy) for copy in copies])
        await session.execute(insert(Purchase), [_row(copy, purchase) for copy, purchase in sold])
        await session.execute(insert(Transition), [line for copy, one in sold for line in _history(copy, one)])


async def hear(harness: Harness, stripe: ReplayedStripe, copies: Sequence[Copy], *, leisure: Sequence[bool]) -> None:
    """Deliver each phase of every copy; after some of them the worker has time for everything else, and at the end."""
    for phase, at_leisure in enumerate(leisure):
        for facts in _chunks(fact for copy in copies for fact in copy.heard_in(phase)):
            await harness.deliver(*facts)
        if at_leisure:
            await settle_all(harness, stripe)
    await settle_all(harness, stripe)


async def settle_all(harness: Harness, stripe: ReplayedStripe) -> None:
    """What `harness.settle_everything` does, by several workers, with Stripe as it was when they were recorded."""
    loop = JobsLoop(context=replace(harness.context, client=cast("StripeClient", stripe)), health=Health())
    seen: Json | None = None
    while seen != (seen := await harness._state()) and seen["open"]:
        await harness.execute("update stripe_commands set due_at = now(), leased_until = null where state = 'open'")
        await asyncio.gather(*(_carry(loop) for _ in range(CARRIERS)))
        await harness.retry_parked()


async def _carry(loop: JobsLoop) -> None:
    while await loop.do_one():
        pass


def _workspace(copy: Copy) -> Json:
    purchase = copy.recording.purchases[0]
    return {
        "id": copy.workspace_id,
        "name": "Acme",
        "owner_user_id": "olga",
        "owner_email": "olga@acme.example",
        "stripe_customer_id": of_copy(str(purchase.stripe_customer_id), copy.name),
    }


def _row(copy: Copy, purchase: Purchase) -> Json:
    columns = {column.name: getattr(purchase, column.name) for column in Purchase.__table__.columns}
    blank = {name: None for name in columns if name.endswith(("_at", "_until", "_url"))} | dict.fromkeys(KNOWN_LATER)
    kept = {name: columns[name] for name in ("started_at", "updated_at")}
    return (
        columns
        | blank
        | kept
        | {
            "id": id_of_copy(str(purchase.id), copy.name),
            "workspace_id": copy.workspace_id,
            "status": copy.recording.start,
            "payable": True,
            "sequence": 1,
            "stripe_customer_id": of_copy(str(purchase.stripe_customer_id), copy.name),
            "stripe_checkout_session_id": _session_id(copy, purchase),
            "failure_code": None,
            "paid_cents": None,
            "refunded_from": None,
        }
    )


def _session_id(copy: Copy, purchase: Purchase) -> str | None:
    session_id = purchase.stripe_checkout_session_id
    return of_copy(session_id, copy.name) if session_id else None


def _history(copy: Copy, purchase: Purchase) -> list[Json]:
    line = {"purchase_id": id_of_copy(str(purchase.id), copy.name), "stale": False, "actor": "user:olga"}
    line |= {"sequence": 1, "at": purchase.started_at}
    begun = [line | {"from_status": None, "to_status": Status.PENDING, "trigger": "bought"}]
    if copy.recording.start is Status.CANCELLED:
        begun.append(line | {"from_status": Status.PENDING, "to_status": Status.CANCELLED, "trigger": "cancelled"})
    return begun


def _chunks(facts: Iterable[StripeFact]) -> Iterator[list[StripeFact]]:
    rest = iter(facts)
    while chunk := list(islice(rest, RECORDS)):
        yield chunk
