"""What the product keeps, read past its interfaces: the rows of every table, the records of every topic, the mails."""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import ALL_TOPICS
from sandbox.driver import Driver

Json = dict[str, Any]
Table = tuple[str, str]
"""Database and name."""
Ends = Mapping[TopicPartition, int]

WITHIN_SECONDS: Final = 30
DATABASES: Final = ("catalog", "purchases", "notifier")
UNRECORDED: Final = frozenset(
    {"alembic_version", "inbox", "outbox", "parked_references", "stripe_budgets", "subscription_charges"}
)
"""What depends on how often, how fast or in which order something was delivered: marks, queues, budgets, links."""
UNRECORDED_COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "stripe_commands": frozenset(
        {"key", "version", "attempts", "last_error", "state", "due_at", "leased_until", "ended_at"}
    ),
    "parked": frozenset({"partition", "offset", "headers", "attempts", "digest", "value"}),
    "mails": frozenset({"attempts"}),
    "workspaces": frozenset({"sequence"}),
    "subscriptions": frozenset({"confirmed_at", "told_at", "told_by"}),
    "purchase_charges": frozenset({"amount_told"}),
}
"""How often, and when, something was tried; what depends on which events were heard on the way."""
_TABLES: Final = """
    select relname, string_agg(attname, ', ' order by attnum) as keys
    from pg_index join pg_class on pg_class.oid = indrelid
    join pg_attribute on attrelid = indrelid and attnum = any(indkey)
    where indisprimary and relnamespace = 'public'::regnamespace group by relname
"""
"""The tables, and the columns of their primary keys."""


@dataclass
class Rows:
    """The rows of all tables, by their primary key; without numbers that only count."""

    of: dict[Table, dict[str, Json]] = field(default_factory=dict)

    def column(self, table: Table, name: str) -> frozenset[str]:
        """Return all values of a column."""
        return frozenset(str(row[name]) for row in self.of[table].values())


async def all_rows(driver: Driver) -> Rows:
    """Read every table that is recorded."""
    found = Rows()
    for database in DATABASES:
        for table in await driver.inspector.rows(database, _TABLES):
            name, keys = table["relname"], table["keys"]
            if name not in UNRECORDED:
                query = f'select to_jsonb(one) as row from "{name}" one order by {keys}'
                rows = [json.loads(row["row"]) for row in await driver.inspector.rows(database, query)]
                found.of[database, name] = {_key(row, keys): _recorded(name, row) for row in rows}
    return found


def _key(row: Json, keys: str) -> str:
    return json.dumps([row[name] for name in keys.split(", ")])


def _recorded(table: str, row: Json) -> Json:
    dropped = UNRECORDED_COLUMNS.get(table, frozenset())
    return {
        name: value
        for name, value in row.items()
        if name not in dropped and not (name == "id" and isinstance(value, int))
    }


async def ends(driver: Driver) -> Ends:
    """Return where each partition of each topic ends."""
    async with _consumer(driver) as consumer:
        found: Ends = await consumer.end_offsets(consumer.assignment())
        return found


async def records(driver: Driver, *, after: Ends) -> list[Json]:
    """Return the records behind these offsets, each partition's in order."""
    found: list[Json] = []
    async with asyncio.timeout(WITHIN_SECONDS), _consumer(driver) as consumer:
        last = await consumer.end_offsets(consumer.assignment())
        fresh = [one for one in last if last[one] > after[one]]
        for one in last:
            consumer.seek(one, after[one])
        while any([await consumer.position(one) < last[one] for one in fresh]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found.extend(_record(record) for record in batch)
    return found


def _consumer(driver: Driver) -> Any:
    return _Assigned(driver.stack.kafka_bootstrap_servers)


class _Assigned:
    """A consumer of every partition, in no group."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=20)

    async def __aenter__(self) -> Any:
        await self._consumer.start()
        self._consumer.assign(
            [TopicPartition(one.name, number) for one in ALL_TOPICS for number in range(one.partitions)]
        )
        return self._consumer

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()


def _record(record: Any) -> Json:
    headers = {name: value.decode() for name, value in record.headers}
    return {
        "topic": record.topic,
        "type": headers.get("ce_type", ""),
        "subject": headers.get("ce_subject", ""),
        "source": headers.get("ce_source", ""),
        "id": headers.get("ce_id", ""),
        "headers": " ".join(sorted({*headers} - {"traceparent"})),
        "key": record.key and record.key.decode(),
        "body": json.loads(record.value) if record.value else None,
    }


async def mail_ids(driver: Driver) -> frozenset[str]:
    """Return the ids of all mails in the box."""
    answer = await driver.http.get(f"{driver.stack.mailbox_url}/api/v1/messages", params={"limit": "100000"})
    return frozenset(str(mail["ID"]) for mail in answer.json()["messages"])


async def mails(driver: Driver, *, besides: Collection[str]) -> list[Json]:
    """Return the mails that came since, whole."""
    fresh = sorted(await mail_ids(driver) - frozenset(besides))
    answers = [await driver.http.get(f"{driver.stack.mailbox_url}/api/v1/message/{one}") for one in fresh]
    return [answer.json() for answer in answers]
