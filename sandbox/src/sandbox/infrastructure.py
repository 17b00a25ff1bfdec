"""What the services stand on: PostgreSQL with its databases, Kafka, Stripe's sandbox, mail box, issuer."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from contracts.topics import ALL_TOPICS
from sandbox import places
from sandbox.brokers import Broker, Choice, start_broker
from sandbox.environment import Addresses
from sandbox.ports import LOOPBACK, is_listening
from sandbox.postgres import PostgresServer
from sandbox.process import Process, ProcessDied
from sandbox.processes import (
    AT_STRIPE,
    AUDIENCE,
    CLIENT,
    DATABASES,
    SIGNED_IN_AT,
    STRIPE_KEY,
    Database,
    clean_environment,
    python,
)
from sandbox.progress import Report
from sandbox.together import together

_READY_WITHIN: Final = 120


class Infrastructure:
    """Started and stopped as a whole; `prepare` are the databases that are migrated, `without` the parts left out."""

    def __init__(
        self,
        *,
        directory: Path,
        addresses: Addresses,
        webhook_secret: str,
        choice: Choice,
        prepare: Sequence[Database],
        without: Collection[str],
        forgetful: bool,
        report: Report,
        on_spawn: Callable[[], None],
    ) -> None:
        self._logs = directory / "logs"
        self._data = directory / "data"
        self._addresses = addresses
        self._choice = choice
        self._prepared = prepare
        self._forgetful = forgetful
        self._report = report
        self._on_spawn = on_spawn
        self._broker: Broker | None = None
        self.database_urls: dict[str, str] = {}
        self._postgres: PostgresServer | None = None
        self._small_parts = {
            name: Process(name, command, log=self._log(name), env=clean_environment())
            for name, command in _small_parts(addresses, webhook_secret).items()
            if name not in without
        }

    @property
    def broker(self) -> Broker:
        if self._broker is None:
            raise RuntimeError("the stack is not up")
        return self._broker

    @property
    def postgres(self) -> PostgresServer:
        if self._postgres is None:
            raise RuntimeError("the stack is not up")
        return self._postgres

    @property
    def processes(self) -> dict[str, Process]:
        broker = {"kafka": self._broker.process} if self._broker and self._broker.process else {}
        postgres = {"postgres": self._postgres.process} if self._postgres else {}
        return postgres | broker | self._small_parts

    @property
    def temporary_directories(self) -> list[Path]:
        """What is to be removed when nobody came to `stop`."""
        return [self._postgres.directory] if self._postgres else []

    async def start(self) -> None:
        """Start the parts. Raises `ProcessDied` where one does not come up."""
        small = (self._start_part(process) for process in self._small_parts.values())
        await together(self._start_databases(), self._start_broker(), *small)

    async def stop(self) -> None:
        large = [part.stop() for part in (self._postgres, self._broker) if part]
        small = [process.stop() for process in self._small_parts.values()]
        await asyncio.gather(*large, *small)

    async def _start_databases(self) -> None:
        self._report("postgres", "starting")
        port = self._addresses.ports["postgres"]
        postgres = self._postgres = PostgresServer(log=self._log("postgres"), port=port, forgetful=self._forgetful)
        await postgres.start()
        self._on_spawn()
        self.database_urls = await postgres.add_owners(database.name for database in DATABASES)
        await together(*(self._prepare(database) for database in self._prepared))
        self._report("postgres", f"ready on {LOOPBACK}:{postgres.port}")

    async def _prepare(self, database: Database) -> None:
        """Run its migrations and its seed, and make at Stripe what they name."""
        settings = {"APP_ENV": "local", "DATABASE_URL": self.database_urls[database.name]}
        for words in database.prepare:
            await self._run("postgres", words, settings)
        stripe = self._small_parts.get("stripe")
        if stripe is not None and database.name in AT_STRIPE:
            await self._until_it_listens(stripe)
            at_stripe = {"STRIPE_SECRET_KEY": STRIPE_KEY, "STRIPE_API_BASE": self._addresses.url("stripe")}
            await self._run("stripe", AT_STRIPE[database.name], settings | at_stripe)
            self._report("stripe", "ready, and sells the plan")

    async def _start_broker(self) -> None:
        self._broker = await start_broker(
            self._choice,
            topics=ALL_TOPICS,
            directory=self._data,
            cache=places.maven_cache(),
            log=self._log("kafka"),
            port=self._addresses.ports["kafka"],
            report=self._report,
        )
        self._on_spawn()
        self._report("kafka", f"ready on {self._broker.bootstrap} with {len(ALL_TOPICS)} topics")

    async def _start_part(self, process: Process) -> None:
        self._report(process.name, "starting")
        process.start()
        self._on_spawn()
        await self._until_it_listens(process)
        self._report(process.name, f"ready at {self._addresses.url(process.name)}")

    async def _until_it_listens(self, process: Process) -> None:
        await process.until(lambda: _listens(self._addresses.ports[process.name]), within=_READY_WITHIN)

    async def _run(self, part: str, words: Sequence[str], settings: Mapping[str, str]) -> None:
        """Run a command that ends by itself."""
        name = "-".join(words)
        self._report(part, " ".join(words))
        process = Process(name, python(*words), log=self._log(name), env={**clean_environment(), **settings})
        process.start()
        try:
            ended = await process.wait(within=_READY_WITHIN)
        finally:
            await process.kill()
        if not ended or process.exit_code != 0:
            raise ProcessDied(f"{name} ended with exit code {process.exit_code}\n{process.tail()}")

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


def _small_parts(addresses: Addresses, webhook_secret: str) -> Mapping[str, list[str]]:
    """Return the command lines of those that are Python programs of the sandbox, by the name of their HTTP port."""
    port, host = addresses.ports, ("--host", LOOPBACK)
    endpoint = f"{addresses.url('webhook-gateway')}/billing/webhook"
    stripe = ["--port", str(port["stripe"]), "--public-url", addresses.url("stripe")]
    mailbox = ["--smtp-port", str(port["smtp"]), "--http-port", str(port["mailbox"])]
    issuer = ["--port", str(port["issuer"]), "--issuer", addresses.url("issuer"), "--audience", AUDIENCE]
    client = ["--client-id", CLIENT[0], "--client-secret", CLIENT[1]]
    pages = ["--redirect-uri", f"{addresses.url('front')}{SIGNED_IN_AT}"]
    front = ["--port", str(port["front"])]
    names = {"--catalog": "catalog", "--purchases": "purchases-api", "--notifier": "notifier"}
    behind = [word for option, name in names.items() for word in (option, addresses.url(name))]
    return {
        "stripe": python("sandbox.stripe", *host, *stripe, "--endpoint", endpoint, "--secret", webhook_secret),
        "mailbox": python("sandbox.mailbox", *host, *mailbox),
        "issuer": python("sandbox.issuer", *host, *issuer, *client, *pages),
        "front": python("sandbox.front", *host, *front, *behind),
    }


async def _listens(port: int) -> bool:
    return is_listening(port)
