"""The whole product on this machine, as processes, each of which a test can kill and start again.

async with EmbeddedStack() as stack:
    await stack.kill("purchases-worker")
    await stack.start("purchases-worker", {"KILL_AT": "after-commit"})
"""

import asyncio
import atexit
import secrets
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from sandbox.brokers import Broker, Choice, broker_choice
from sandbox.description import Description
from sandbox.environment import Addresses, choose_ports, service_environment, shared_settings
from sandbox.front.routes import ROUTES
from sandbox.infrastructure import Infrastructure
from sandbox.ports import LOOPBACK
from sandbox.process import Process, ProcessDied
from sandbox.processes import DATABASES, SERVICES, STRIPE_KEY, Service, python
from sandbox.progress import Report, silent
from sandbox.together import together

READY: Final = "/readyz"
_READY_WITHIN: Final = 120


class EmbeddedStack:
    """Started and stopped as a whole with `up` and `down`, or as a context manager; single services by their name."""

    def __init__(
        self,
        *,
        services: Sequence[Service] = SERVICES,
        directory: Path | None = None,
        broker: Choice | None = None,
        preferred_ports: Mapping[str, int] | None = None,
        extra_env: Mapping[str, str] | None = None,
        report: Report = silent,
        on_spawn: Callable[[], None] = lambda: None,
        without: Collection[str] = (),
        forgetful: bool = False,
    ) -> None:
        """`extra_env` goes to every service; logs go to `directory`; ports that nobody prefers are any free ones.

        `without` leaves out small parts: stripe, mailbox, issuer, front. Without services that have pages there is
        no front. A `forgetful` PostgreSQL may lose what it committed: for suites that throw their database away.
        """
        self._own_directory = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="quittance-stack-"))
        self.webhook_secret = f"whsec_{secrets.token_hex(16)}"
        self.addresses = Addresses(choose_ports(services, preferred_ports or {}, report))
        self._services = {service.name: service for service in services}
        self._extra_env = dict(extra_env or {})
        self._report = report
        self._on_spawn = on_spawn
        self._running: dict[str, Process] = {}
        wanted = {service.database for service in services}
        has_pages = self._services.keys() >= set(ROUTES.values())
        self.infrastructure = Infrastructure(
            directory=self.directory,
            addresses=self.addresses,
            webhook_secret=self.webhook_secret,
            choice=broker or broker_choice(),
            prepare=[database for database in DATABASES if database.name in wanted],
            without={*without} if has_pages else {*without, "front"},
            forgetful=forgetful,
            report=report,
            on_spawn=on_spawn,
        )

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.down()

    async def up(self) -> None:
        """Start everything. Where a part does not come up, everything is stopped and `ProcessDied` says why."""
        atexit.register(self._leave_nothing)
        try:
            await self.infrastructure.start()
            await together(*(self.start(name) for name in self._services))
        except BaseException:
            await self.down()
            raise

    async def down(self) -> None:
        """Stop the services, then what they stand on."""
        await asyncio.gather(*(process.stop() for process in self._running.values()))
        await self.infrastructure.stop()
        atexit.unregister(self._leave_nothing)
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    async def start(self, name: str, extra_env: Mapping[str, str] | None = None, *, until: str = READY) -> None:
        """Start one service and wait until it is ready, or `until` succeeds; `extra_env` is for this run of it only."""
        service = self._services[name]
        process = self._running.setdefault(name, self._process(service))
        self._report(name, "starting")
        process.start(extra_env)
        self._on_spawn()
        await process.until(lambda: _succeeds(self.operations_url(name) + until), within=_READY_WITHIN)
        self._report(name, f"ready at {self.addresses.url(name)}" if service.http_port else "ready")

    async def stop_process(self, name: str) -> None:
        """SIGTERM, and wait until it has ended."""
        await self.processes[name].stop()

    async def kill(self, name: str) -> None:
        """SIGKILL."""
        await self.processes[name].kill()

    async def restart(self, name: str, extra_env: Mapping[str, str] | None = None, *, until: str = READY) -> None:
        """Stop it where it still runs, and start it with `extra_env`."""
        await self.stop_process(name)
        await self.start(name, extra_env, until=until)

    async def restart_ended(self) -> list[str]:
        """Start the services that ended by themselves again, and return their names; who cannot start stays out."""
        ended = [name for name, process in self._running.items() if not process.running]
        for name in ended:
            code = self._running[name].exit_code
            self._report(name, f"ended with exit code {code}, starting again")
            try:
                await self.start(name)
            except ProcessDied as died:
                self._report(name, f"did not start: {died}")
        return ended

    async def broker_down(self) -> None:
        """Nobody can reach Kafka, and its records are kept."""
        await self.broker.take_down()

    async def broker_up(self) -> None:
        """Kafka is back, on the same port, with the same records."""
        await self.broker.bring_back()
        self._on_spawn()

    async def database_down(self) -> None:
        """PostgreSQL ends its connections and listens no more; what was committed is kept."""
        await self.infrastructure.postgres.process.stop()

    async def database_up(self) -> None:
        """PostgreSQL is back, on the same port, with the same data."""
        await self.infrastructure.postgres.start()
        self._on_spawn()

    @property
    def broker(self) -> Broker:
        return self.infrastructure.broker

    @property
    def processes(self) -> dict[str, Process]:
        """Every process by its name."""
        return self.infrastructure.processes | self._running

    def logs(self, name: str) -> str:
        """Return all that this process has printed, over all its runs."""
        return self.processes[name].log.read_text(errors="replace")

    def operations_url(self, name: str) -> str:
        """Return where a service answers /livez, /readyz and /metrics."""
        return f"http://{LOOPBACK}:{self.addresses.ports[f'{name}-ops']}"

    def settings_for(self, name: str) -> dict[str, str]:
        """Return the environment of a service, for a command of it that a test runs itself."""
        shared = shared_settings(self.addresses, self.broker, self.webhook_secret) | self._extra_env
        return service_environment(
            self._services[name],
            addresses=self.addresses,
            shared=shared,
            database_urls=self.infrastructure.database_urls,
        )

    def describe(self) -> Description:
        """Return what `.stack/stack.json` says."""
        url = self.addresses.url
        return Description(
            catalog_url=url("catalog"),
            purchases_url=url("purchases-api"),
            gateway_url=url("webhook-gateway"),
            pages_url=url("front"),
            issuer_url=url("issuer"),
            stripe_url=url("stripe"),
            mailbox_url=url("mailbox"),
            kafka_bootstrap_servers=self.broker.bootstrap,
            broker=self.broker.kind,
            database_urls=dict(self.infrastructure.database_urls),
            stripe_secret_key=STRIPE_KEY,
            stripe_webhook_secrets=[self.webhook_secret],
            processes={name: process.pid for name, process in self.processes.items() if process.pid},
        )

    def _process(self, service: Service) -> Process:
        log = self.directory / "logs" / f"{service.name}.log"
        return Process(service.name, python(*service.command), log=log, env=self.settings_for(service.name))

    def _leave_nothing(self) -> None:
        """End every process on the way out of a crash."""
        for process in self.processes.values():
            process.kill_now()


async def _succeeds(url: str) -> bool:
    try:
        # A TLS context, which nobody needs here, takes 20 ms of a processor: at each question, while others start.
        async with httpx.AsyncClient(trust_env=False, timeout=5, verify=False) as client:  # noqa: S501
            return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
