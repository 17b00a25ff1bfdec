"""Reads the rows and Kafka past the services' interfaces, for tests and for the demo's reconciliation check."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts import PURCHASE_EVENTS, PURCHASE_STATE, STRIPE_EVENTS, WORKSPACE_EVENTS, Envelope, Topic
from contracts.topics import ADDON_PRICE, ADDON_STATE, PLAN_STATE
from sandbox.description import Description

Json = dict[str, Any]

GROUPS: Final[Mapping[str, tuple[Topic, ...]]] = {
    "catalog": (ADDON_PRICE,),
    "purchases": (STRIPE_EVENTS, ADDON_STATE, PLAN_STATE),
    "notifier": (PURCHASE_EVENTS, WORKSPACE_EVENTS),
}
"""Each service, and the topics that it reads."""
FLOW: Final = ("catalog", "purchases", "catalog", "purchases", "notifier")
"""The order in which things flow: a price made by purchases goes to the catalog, whose answer comes back."""
LASTING: Final = (
    ("purchases", "workspace_addon_purchases"),
    ("purchases", "purchase_transitions"),
    ("purchases", "purchase_payments"),
    ("purchases", "purchase_refunds"),
    ("purchases", "workspaces"),
    ("purchases", "subscriptions"),
    ("purchases", "subscription_invoices"),
    ("notifier", "mails"),
)
UNFINISHED: Final[Mapping[str, str]] = {
    "catalog": """
        select exists(select from outbox)
            or exists(select from parked where resolved_at is null and retry_at <= now())
    """,
    "purchases": """
        select exists(select from outbox)
            or exists(
                select from stripe_commands
                where state = 'open' and due_at <= now() + interval '1 second' and kind not like 'sweep%'
            )
            or exists(select from parked where resolved_at is null and retry_at <= now())
    """,
    "notifier": "select exists(select from mails where due_at is not null)",
}
"""The sweep comes due for ever, and moves nothing that its own jobs and facts do not show."""


class Inspector:
    """Looks into the databases and the topics; changes nothing."""

    def __init__(self, stack: Description) -> None:
        self._stack = stack
        self._pools: dict[str, Any] = {}
        self._admin: Any = None
        self._ends: Any = None

    async def close(self) -> None:
        """Give the connections back."""
        if self._admin is not None:
            await self._admin.close()
        if self._ends is not None:
            await self._ends.stop()
        for pool in self._pools.values():
            pool.terminate()

    async def rows(self, database: str, query: str, *arguments: Any) -> list[Json]:
        """Return the rows of a query on one service's database."""
        if database not in self._pools:
            url = self._stack.database_urls[database]
            self._pools[database] = await asyncpg.create_pool(url, min_size=0, max_size=4)
        return [dict(row) for row in await self._pools[database].fetch(query, *arguments)]

    async def addon_version(self, slug: str) -> tuple[int, bool] | None:
        """Price and activity of an add-on in purchases' own copy."""
        found = await self.rows("purchases", "select price_cents, is_active from addons where slug = $1", slug)
        return (found[0]["price_cents"], found[0]["is_active"]) if found else None

    async def everything(self) -> dict[str, list[Json]]:
        """Return what must not change when nothing new happened: purchases, history, money, mails."""
        return {
            table: await self.rows(database, f"select * from {table} order by 1, 2")  # noqa: S608 - our own names
            for database, table in LASTING
        }

    async def moving(self) -> str:
        """Return what is still on its way inside the services: first what one has to read, then what it holds."""
        for service in FLOW:
            if lag := await self._lag(service, GROUPS[service]):
                return f"{service} has {lag} records to read"
            (row,) = await self.rows(service, UNFINISHED[service])
            if any(row.values()):
                return f"{service} has rows that it has not finished"
        return ""

    async def _lag(self, group: str, topics: tuple[Topic, ...]) -> int:
        """Count the records that `group` has not finished: its offsets are committed after the effect."""
        if self._admin is None:
            self._admin = AIOKafkaAdminClient(bootstrap_servers=self._stack.kafka_bootstrap_servers)
            await self._admin.start()
        partitions = _partitions(topics)
        committed = await self._admin.list_consumer_group_offsets(group, partitions=partitions)
        ends = await (await self._asker()).end_offsets(partitions)
        return sum(ends[one] - max(0, committed[one].offset if one in committed else 0) for one in partitions)

    async def _asker(self) -> Any:
        """Return the consumer that is asked where partitions end, and reads nothing: one, since it is asked often."""
        if self._ends is None:
            partitions = _partitions({topic for topics in GROUPS.values() for topic in topics})
            self._ends = await self._started(partitions)
            self._ends.pause(*partitions)
        return self._ends

    async def _started(self, partitions: Sequence[TopicPartition]) -> Any:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._stack.kafka_bootstrap_servers, auto_offset_reset="earliest", fetch_max_wait_ms=20
        )
        await consumer.start()
        consumer.assign(partitions)  # before any question: it fetches their metadata at once
        return consumer

    @asynccontextmanager
    async def _consumer(self, partitions: Sequence[TopicPartition]) -> AsyncIterator[Any]:
        consumer = await self._started(partitions)
        try:
            yield consumer
        finally:
            await consumer.stop()

    async def facts(self, *topics: Topic, key: str | None = None) -> list[tuple[Envelope, bytes]]:
        """Return every record of these topics, in the order of each partition; with `key`, only those under it."""
        partitions = _partitions(topics or (PURCHASE_EVENTS, PURCHASE_STATE))
        async with self._consumer(partitions) as consumer:
            return await self._read_all(consumer, partitions, key)

    async def _read_all(
        self, consumer: Any, partitions: Sequence[TopicPartition], key: str | None
    ) -> list[tuple[Envelope, bytes]]:
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                wanted = (r for r in records if key is None or r.key == key.encode())
                for record in wanted:
                    with suppress(ValueError):
                        found.append((Envelope.from_headers(record.headers), record.value))
        return found


def _partitions(topics: Iterable[Topic]) -> list[TopicPartition]:
    return [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
