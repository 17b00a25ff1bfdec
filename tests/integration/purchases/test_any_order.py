"""The final rows and the money depend on the set of facts, not on their order, number or Stripe's version (P5)."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

import pytest
import stripe
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chassis.database.database import Database
from contracts.purchase_facts import DisputeClosed, DisputeOpened, RefundFailed, RefundIssued
from contracts.stripe_facts import SubscriptionChanged
from purchases.ledger.transitions import TRANSITIONS, Status, Trigger
from sandbox.stripe.control import StripeControl
from tests.integration.purchases.copies import Copy, hear, plant
from tests.integration.purchases.expected import expected, of_the_plan
from tests.integration.purchases.harness import Harness, Json
from tests.integration.purchases.replayed_stripe import ReplayedStripe, of_copy
from tests.integration.purchases.scenarios import SCENARIOS, VERSIONS, Recording, record
from tests.rounds import rounds

ROUNDS: Final = rounds(1, every=64)
"""Each is `CASES` orders, of whichever recordings."""
CASES: Final = 32
PHASES: Final = 3
AGAIN: Final = 3
"""So many facts at most are heard once more."""
PURCHASES: Final = """
    select id, status, payable, paid_cents,
        (select jsonb_agg(jsonb_build_array(stripe_invoice_id, paid_cents, returned) order by 1)
         from purchase_payments where purchase_id = id) as payments,
        (select jsonb_agg(jsonb_build_array(stripe_refund_id, status, refund_cents) order by stripe_refund_id)
         from purchase_refunds where purchase_id = purchases.id) as refunds,
        (select jsonb_agg(jsonb_build_array(stripe_dispute_id, status, dispute_cents) order by stripe_dispute_id)
         from purchase_disputes where purchase_id = purchases.id) as disputes
    from workspace_addon_purchases purchases
"""

OF_THE_PLAN: Final = """
    select workspace_id, stripe_refund_id as id, status, refund_cents as cents from workspace_refunds
    union all select workspace_id, stripe_dispute_id, status, dispute_cents from workspace_disputes order by id
"""


class Replay:
    """Every recording of Stripe, and what applies copies of it. No dataclass: Hypothesis prints it."""

    def __init__(self, harness: Harness, recordings: Sequence[Recording]) -> None:
        self.harness = harness
        self.stripe = ReplayedStripe(harness.client)
        self.recordings = recordings


@pytest.fixture(scope="module")
async def replay(migrated: Database, client: stripe.StripeClient, control: StripeControl) -> Replay:
    await control.reset()
    await control.settings(refund_delay=None, invoice_authentication="requires_action")
    harness = Harness(database=migrated, client=client, control=control)
    return Replay(harness, [await record(harness, scenario) for scenario in SCENARIOS])


def _copies(random: Random, recordings: Sequence[Recording]) -> list[Copy]:
    """Copies of recordings, each with an order of its own, which some facts come into more than once."""
    copies = []
    for number in range(CASES):
        recording, version = random.choice(recordings), random.choice(VERSIONS)
        facts = range(len(recording.facts[version]))
        heard = [*facts, *random.choices(facts, k=random.randint(0, AGAIN))]
        random.shuffle(heard)
        phases: list[list[int]] = [[] for _ in range(PHASES)]
        for fact in heard:
            random.choice(phases).append(fact)
        copies.append(Copy(number=number, recording=recording, version=version, phases=phases))
    return copies


@pytest.mark.timeout(1200)
@settings(
    max_examples=ROUNDS,
    phases=[Phase.generate],
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(seed=st.integers(0, 2**32))
async def test_facts_in_any_order_end_in_the_same_rows_and_the_same_money(replay: Replay, seed: int) -> None:
    random = Random(seed)
    harness, copies = replay.harness, _copies(random, replay.recordings)
    leisure = random.choices([True, False], k=PHASES)
    await plant(harness, copies)

    await hear(harness, replay.stripe, copies, leisure=leisure)

    rows = await _rows(harness)
    for copy in copies:
        ended = {one: rows[one] for one in copy.purchase_ids}
        assert _expected(copy) == ended, f"{copy.recording.name}, {copy.version}, leisure {leisure}: {copy.heard}"
    await _the_plan_has_its_share(harness, copies)
    assert await harness.rows("select * from stripe_commands where state = 'parked'") == []
    of_purchases = [one for one in await harness.parked() if one["type"] != SubscriptionChanged.TYPE]
    assert sum(copy.recording.parked for copy in copies) == len(of_purchases)
    await _histories_replay_to_the_rows(harness, rows)
    await _everything_is_published_once(harness)


async def _the_plan_has_its_share(harness: Harness, copies: Sequence[Copy]) -> None:
    rows = [row for row in await harness.rows(OF_THE_PLAN) if row["cents"]]
    for copy in copies:
        said = json.loads(of_copy(json.dumps(of_the_plan(copy.recording)), copy.name))
        mine = [[row["id"], row["status"], row["cents"]] for row in rows if row["workspace_id"] == copy.workspace_id]
        assert said == mine, f"{copy.recording.name}, {copy.version}: {copy.heard}"


def _expected(copy: Copy) -> Mapping[str, Json]:
    """What Stripe's own objects say, about this copy."""
    said = json.loads(of_copy(json.dumps(expected(copy.recording)), copy.name))
    return dict(zip(copy.purchase_ids, said, strict=True))


async def _rows(harness: Harness) -> Mapping[str, Json]:
    rows = {str(row.pop("id")): row for row in await harness.rows(PURCHASES)}
    for row in rows.values():
        row |= {name: row[name] or [] for name in ("payments", "refunds", "disputes")}
    return rows


async def _histories_replay_to_the_rows(harness: Harness, rows: Mapping[str, Json]) -> None:
    statuses: dict[str, str | None] = defaultdict(lambda: None)
    for line in await harness.rows("select * from purchase_transitions order by id"):
        purchase = str(line["purchase_id"])
        status = statuses[purchase]
        assert status == line["from_status"]
        if line["stale"]:
            assert status == line["to_status"]
        elif status is not None:
            assert TRANSITIONS[Status(status), Trigger(line["trigger"])].status.value == line["to_status"]
        statuses[purchase] = line["to_status"]
    assert {purchase: row["status"] for purchase, row in rows.items()} == dict(statuses)


async def _everything_is_published_once(harness: Harness) -> None:
    published_ids: Counter[Any] = Counter()
    for kind in (RefundIssued, RefundFailed, DisputeOpened, DisputeClosed):
        for fact in await harness.published(kind=kind):
            about = fact.get("stripe_refund_id") or (fact["stripe_dispute_id"], fact.get("outcome"))
            published_ids[kind.TYPE, fact["purchase_id"], str(about)] += 1
    assert all(times == 1 for times in published_ids.values())
