"""Which Kafka the stack runs on: Apache Kafka, or the fallback where Maven cannot be reached or it is asked for."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, Protocol

from sandbox.kafka import ApacheKafka
from sandbox.kafka_jars import MavenUnreachable
from sandbox.ports import is_listening
from sandbox.process import Process
from sandbox.progress import Report, silent
from sandbox.topics import TopicSpec, create_topics

Choice = Literal["auto", "kafka", "librdkafka"]


class Broker(Protocol):
    """A running broker, with its topics, that can be taken down and brought back."""

    @property
    def kind(self) -> str: ...
    @property
    def bootstrap(self) -> str: ...
    @property
    def process(self) -> Process | None: ...
    async def start(self, report: Report = silent) -> None: ...
    async def stop(self) -> None: ...
    async def take_down(self) -> None:
        """Nobody can connect, and nothing is lost."""

    async def bring_back(self) -> None: ...


class KafkaWithTopics(ApacheKafka):
    """Apache Kafka that has the topics of the contracts."""

    def __init__(
        self, *, topics: Sequence[TopicSpec], directory: Path, cache: Path, log: Path, port: int | None = None
    ) -> None:
        super().__init__(directory=directory, cache=cache, log=log, port=port)
        self._topics = topics

    async def start(self, report: Report = silent) -> None:
        await super().start(report)
        await create_topics(self.bootstrap, self._topics)

    async def stop(self) -> None:
        await super().stop()
        self.forget()

    async def take_down(self) -> None:
        await super().stop()

    async def bring_back(self) -> None:
        await self.start()


class LibrdkafkaBroker:
    """The process of `sandbox.librdkafka_broker`. Its port is given by the system; its records live in memory."""

    kind: Final = "librdkafka"

    def __init__(self, *, topics: Sequence[TopicSpec], directory: Path, log: Path) -> None:
        self._ready = directory / "librdkafka-broker"
        names = ",".join(f"{topic.name}:{topic.partitions}" for topic in topics)
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "sandbox.librdkafka_broker",
            "--topics",
            names,
            "--ready",
            self._ready,
        ]
        self.process = Process("kafka", command, log=log)
        self.bootstrap = ""

    async def start(self, report: Report = silent) -> None:
        report("kafka", "starting the broker of librdkafka")
        self._ready.parent.mkdir(parents=True, exist_ok=True)
        self._ready.unlink(missing_ok=True)
        self.process.start()
        await self.process.until(self._is_ready, within=20)
        self.bootstrap = self._ready.read_text()

    async def stop(self) -> None:
        await self.process.stop()
        self._ready.unlink(missing_ok=True)

    async def take_down(self) -> None:
        self.process.send(signal.SIGUSR1)
        await self.process.until(self._is_silent, within=10)

    async def bring_back(self) -> None:
        self.process.send(signal.SIGUSR2)
        await self.process.until(self._listens, within=10)

    async def _is_ready(self) -> bool:
        return self._ready.exists()

    async def _listens(self) -> bool:
        return is_listening(int(self.bootstrap.rpartition(":")[2]))

    async def _is_silent(self) -> bool:
        return not await self._listens()


async def start_broker(
    choice: Choice,
    *,
    topics: Sequence[TopicSpec],
    directory: Path,
    cache: Path,
    log: Path,
    port: int | None = None,
    report: Report = silent,
) -> Broker:
    """Start what `choice` asks for. `kafka` refuses the fallback: then `MavenUnreachable` is raised."""
    if choice != "librdkafka":
        apache = KafkaWithTopics(topics=topics, directory=directory / "kafka", cache=cache, log=log, port=port)
        try:
            return await _started(apache, report)
        except MavenUnreachable as error:
            if choice == "kafka":
                raise
            report("kafka", f"Maven cannot be reached ({error}): falling back to the broker of librdkafka")
    return await _started(LibrdkafkaBroker(topics=topics, directory=directory, log=log), report)


async def _started(broker: Broker, report: Report) -> Broker:
    """Interrupted or failed, it leaves no process behind."""
    try:
        await broker.start(report)
    except BaseException:
        await broker.stop()
        raise
    return broker


def broker_choice() -> Choice:
    """Return what the environment's `BROKER` asks for. Raises `ValueError` for a word we do not know."""
    asked = os.environ.get("BROKER") or "auto"
    choices: tuple[Choice, ...] = ("auto", "kafka", "librdkafka")
    for choice in choices:
        if asked == choice:
            return choice
    raise ValueError(f"BROKER={asked}: say kafka or librdkafka")
