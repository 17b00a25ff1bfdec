"""Any bytes in value, key, header names and values, on any of a service's topics: what stands behind is applied."""

import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

import catalog.consumer
import catalog.main
import notifier.consumer
import notifier.main
import purchases.main
from chassis.database.database import Database
from chassis.outbox.consumer import Consumer, Handler
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from contracts import FACTS, TOPICS
from purchases.batch.context import Pages
from purchases.main import doctor
from purchases.worker.events import apply_facts
from tests.integration.chassis_data.any_bytes import AnyProducer, AnyRecord, any_producer
from tests.integration.chassis_data.test_any_bytes import of_type
from tests.integration.chassis_data.test_message_path import until
from tests.rounds import rounds
from tests.stack.postgres import NewDatabase, Template

EXAMPLES: Final = Path(__file__).parents[3] / "contracts" / "examples"
EXAMPLES_OF_EACH: Final = rounds(5, every=15)
PARTITION: Final = 3
"""Of every topic; what stands behind is read after what stands before."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One consumer of ours, with its migrations."""

    migrations: Path
    topics: tuple[str, ...]
    handle: Handler


SERVICES: Final[Mapping[str, Service]] = {
    "purchases": Service(
        migrations=purchases.main.MIGRATIONS,
        topics=doctor.USED_BY_WORKER.reads,
        handle=partial(apply_facts, instance="testing", pages=Pages("http://quittance.test")),
    ),
    "catalog": Service(
        migrations=catalog.main.MIGRATIONS,
        topics=catalog.consumer.TOPICS,
        handle=partial(catalog.consumer.apply_facts, instance="testing"),
    ),
    "notifier": Service(
        migrations=notifier.main.MIGRATIONS,
        topics=notifier.consumer.TOPICS,
        handle=partial(notifier.consumer.queue_mails, wake=lambda: None),
    ),
}
BEHIND: Final = {
    "billing.stripe.events.v1": "billing.stripe.customer_deleted.v1",
    "billing.addon.state.v1": "billing.addon.state.v1",
    "billing.plan.state.v1": "billing.plan.state.v1",
    "billing.addon.price.v1": "billing.addon.price.v1",
    "billing.plan.price.v1": "billing.plan.price.v1",
    "billing.purchase.events.v1": "billing.purchase.paid.v1",
    "billing.workspace.events.v1": "billing.workspace.renewal_failed.v1",
}
"""By topic, the type of what stands behind."""
CE_NAMES: Final = [b"ce_id", b"ce_type", b"ce_time", b"ce_subject", b"ce_source", b"content-type", b"traceparent"]
HEADERS: Final = st.lists(
    st.tuples(st.sampled_from(CE_NAMES) | st.binary(max_size=12), st.none() | st.binary(max_size=24)), max_size=6
)
ANY_RECORD: Final = st.builds(AnyRecord, key=st.binary(max_size=12), value=st.binary(max_size=60), headers=HEADERS)
TEXT: Final = st.text(st.sampled_from("a\x00\ud800\u2028é"), max_size=4)
LEAF: Final = st.sampled_from([None, True, -1, 0, 2**31, 2**63, 2**70, 1e308, "", "2026-13-01"]) | TEXT
JSON: Final = LEAF | st.lists(LEAF, max_size=2) | st.dictionaries(TEXT, LEAF, max_size=2)
TYPES: Final = {
    topic: [name for name, fact in FACTS.items() if TOPICS[fact].name == topic]
    for topic in {each for service in SERVICES.values() for each in service.topics}
}
BODIES: Final = {
    name: json.loads((EXAMPLES / f"{name}.json").read_text()) for names in TYPES.values() for name in names
}


@st.composite
def almost_fact(draw: st.DrawFn, topic: str) -> AnyRecord:
    """A fact of this topic, one of whose members is something else, perhaps with NUL in it."""
    fact_type = draw(st.sampled_from(TYPES[topic]))
    member = draw(st.sampled_from(list(BODIES[fact_type])))
    return of_type(fact_type, json.dumps(BODIES[fact_type] | {member: draw(JSON)}).encode())


@st.composite
def records(draw: st.DrawFn, topics: tuple[str, ...]) -> list[tuple[str, AnyRecord]]:
    """A few records, each for one of these topics."""
    chosen = draw(st.lists(st.sampled_from(topics), min_size=4, max_size=12))
    return [(topic, draw(ANY_RECORD | almost_fact(topic))) for topic in chosen]


def behind(topic: str, fact_id: uuid.UUID) -> AnyRecord:
    """A fact of this topic that is applied whatever was applied before it."""
    body = BODIES[BEHIND[topic]]
    if topic == "billing.addon.state.v1":
        body = body | {"addon_id": str(fact_id), "slug": f"setup-{fact_id}"}
    return of_type(BEHIND[topic], json.dumps(body).encode(), ce_id=fact_id)


@asynccontextmanager
async def consuming(service: Service, database: Database, bootstrap: str, group: str) -> AsyncIterator[None]:
    consumer = Consumer(
        topics=service.topics,
        group=group,
        database=database,
        handle=service.handle,
        settings=ServiceSettings(kafka_bootstrap_servers=bootstrap),
        health=Health(),
    )
    async with consumer.running():
        yield


@pytest.fixture(params=SERVICES)
async def running(
    request: pytest.FixtureRequest, kafka_bootstrap: str, database_url: NewDatabase, template: Template
) -> AsyncIterator["Running"]:
    """A service's consumer with its own database and group, and somebody who may write to its topics."""
    service, group = SERVICES[request.param], f"{request.param}-{uuid.uuid4().hex[:8]}"
    async with (
        Database(await database_url(like=await template(service.migrations)), name="test") as database,
        consuming(service, database, kafka_bootstrap, group),
        any_producer(kafka_bootstrap) as producer,
    ):
        yield Running(service, database, group, producer)


class Running:
    """No dataclass: Hypothesis prints it."""

    def __init__(self, service: Service, database: Database, group: str, producer: AnyProducer) -> None:
        self.service = service
        self.database = database
        self.group = group
        self.producer = producer

    async def applied(self, ids: set[uuid.UUID]) -> bool:
        query = """
            select count(*) from inbox where consumer = :group and fact_id = any(:ids)
            and not exists (select from parked where parked.fact_id = inbox.fact_id)
        """
        async with self.database.reading() as session:
            found = await session.execute(text(query), {"group": self.group, "ids": list(ids)})
        return bool(found.scalar_one() == len(ids))


@settings(
    max_examples=EXAMPLES_OF_EACH, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
async def test_what_stands_behind_any_record_is_applied(running: Running, data: st.DataObject) -> None:
    drawn = data.draw(records(running.service.topics))
    ids = set()
    for topic in running.service.topics:
        fact_id = uuid.uuid4()
        sent = [record for where, record in drawn if where == topic]
        await running.producer.send(topic, *sent, behind(topic, fact_id), partition=PARTITION)
        ids.add(fact_id)

    await until(lambda: running.applied(ids))
