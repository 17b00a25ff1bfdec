"""The notifier's own parts between a real Kafka, PostgreSQL and mail server."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

import notifier.main.service
from chassis.database.database import Database
from chassis.kafka.kafka import Producer
from chassis.outbox.parked_review import SetAside, set_aside
from chassis.process.health import Health
from contracts import PURCHASE_EVENTS, TOPICS, seal
from notifier import mails
from notifier.consumer import mails_for
from notifier.delivery.sender import Sender
from notifier.letters.letters import Mailable
from notifier.main import MIGRATIONS, Settings
from notifier.main.mail_settings import mailer
from notifier.main.service import parts
from notifier.tables import MAILS
from sandbox.mailbox.faults import Faults
from sandbox.mailbox.mails import Mail, Mails
from sandbox.mailbox.smtp import SmtpServer
from sandbox.ports import LOOPBACK, free_port
from tests.stack.postgres import NewDatabase, Template


async def until(condition: Callable[[], Awaitable[Any]], *, seconds: float = 30) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what it looks at is elsewhere
            await asyncio.sleep(0.02)


def key_of(fact: Mailable) -> str:
    """Return the key of the mail about `fact`."""
    return mails_for(fact)[0].key


@dataclass(kw_only=True)
class Office:
    """The mail server, the broker and the database of one test. Other tests' facts are on the topic too."""

    database: Database
    settings: Settings
    producer: Producer
    box: Mails
    smtp: SmtpServer
    consumer: str

    async def given_published(self, *facts: Mailable, ce_id: uuid.UUID | None = None) -> None:
        for fact in facts:
            headers = dict(seal(fact, occurred_at=datetime.now(UTC)).to_headers())
            if ce_id:
                headers["ce_id"] = str(ce_id).encode()
            value, topic = fact.model_dump_json().encode(), TOPICS[type(fact)].name
            await self.given_record(headers=list(headers.items()), value=value, topic=topic)

    async def given_record(
        self, *, headers: Sequence[tuple[str, bytes]], value: bytes, topic: str = PURCHASE_EVENTS.name
    ) -> None:
        """Put anything on the topic, under one key, so that all lie in one partition."""
        await self.producer.produce(topic=topic, key="ws_northwind", headers=headers, value=value)

    async def given_queued(self, *facts: Mailable) -> None:
        """Store mails as the consumer does."""
        async with self.database.transaction() as session:
            await mails.queue(session, [mail for fact in facts for mail in mails_for(fact)])

    @asynccontextmanager
    async def notifying(self) -> AsyncIterator[None]:
        """Provide the process's own parts, running."""
        async with AsyncExitStack() as stack:
            for part in parts(settings=self.settings, database=self.database, health=Health()):
                await stack.enter_async_context(part)
            yield

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Provide the sending half alone, for mails that are queued already."""
        sender = Sender(database=self.database, mailer=mailer(self.settings), health=Health())
        async with sender.running():
            yield

    def about(self, fact: Mailable) -> list[Mail]:
        """Return the mails in the box that name the purchase, or the workspace, that `fact` is about."""
        return [mail for mail in self.box if fact.subject in mail.text]

    async def row(self, fact: Mailable) -> dict[str, Any] | None:
        async with self.database.reading() as session:
            found = await session.execute(MAILS.select().where(MAILS.c.key == key_of(fact)))
            row = found.mappings().first()
        return dict(row) if row else None

    async def is_sent(self, fact: Mailable) -> bool:
        row = await self.row(fact)
        return bool(row and row["sent_at"])

    async def all_sent(self, *facts: Mailable) -> bool:
        return all([await self.is_sent(fact) for fact in facts])

    async def is_parked(self, fact: Mailable) -> bool:
        row = await self.row(fact)
        return bool(row and row["parked_at"])

    async def has_error(self, fact: Mailable) -> bool:
        row = await self.row(fact)
        return bool(row and row["last_error"])

    async def has_any_error(self, *facts: Mailable) -> bool:
        return any([await self.has_error(fact) for fact in facts])

    async def parked_facts(self, *, because: str) -> Sequence[SetAside]:
        async with self.database.reading() as session:
            found = await set_aside(session, consumer=self.consumer)
        return [one for one in found if because in one.reason]

    async def behave(self, **faults: Any) -> None:
        await self.smtp.behave(Faults(**faults))


@pytest.fixture
async def mail_server() -> AsyncIterator[tuple[SmtpServer, Mails, int]]:
    box, port = Mails(), free_port()
    server = SmtpServer(box, host=LOOPBACK, port=port)
    await server.start()
    yield server, box, port
    server.stop()
    await asyncio.sleep(0)


@pytest.fixture
async def office(
    database_url: NewDatabase,
    template: Template,
    kafka_bootstrap: str,
    mail_server: tuple[SmtpServer, Mails, int],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    smtp, box, port = mail_server
    url = await database_url(like=await template(MIGRATIONS))
    consumer = f"notifier-{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(notifier.main.service, "GROUP", consumer)
    settings = Settings(
        database_url=url,
        kafka_bootstrap_servers=kafka_bootstrap,
        team_notify_email="team@quittance.test",
        support_email="help@quittance.test",
        mail_from="Quittance <billing@quittance.test>",
        smtp_url=f"smtp://{LOOPBACK}:{port}",
        smtp_timeout_seconds=2,
        public_base_url="https://billing.test",
    )
    async with (
        Database(url, name="test") as database,
        Producer(settings) as producer,
    ):
        await producer.wait_connected()
        yield Office(database=database, settings=settings, producer=producer, box=box, smtp=smtp, consumer=consumer)
