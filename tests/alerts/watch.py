"""Prometheus and Alertmanager as processes, with the settings that are deployed; only places and times are a test's."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from sandbox.ports import LOOPBACK, free_port
from sandbox.process import Process
from sandbox.processes import SERVICES, clean_environment
from sandbox.stack import EmbeddedStack
from tests.alerts.rules import FILES, OBSERVABILITY, faster

SCRAPE: Final = "1s"
RELAYED_BY: Final = {"catalog-relay": "catalog", "purchases-relay": "purchases-worker"}
"""Deployed, relays are processes of their own; the stack's services relay by themselves."""
READY_WITHIN: Final = 30


@dataclass(frozen=True)
class Watch:
    """Where the two answer."""

    prometheus: str
    alertmanager: str
    client: httpx.AsyncClient

    async def called(self) -> set[str]:
        """Return the alerts for which somebody is called: firing, and not inhibited by their cause."""
        query = {"active": "true", "inhibited": "false", "silenced": "false"}
        answer = await self.client.get(f"{self.alertmanager}/api/v2/alerts", params=query)
        return {alert["labels"]["alertname"] for alert in answer.raise_for_status().json()}

    async def firing(self) -> set[str]:
        """Return all alerts that fire, their causes' symptoms too."""
        answer = await self.client.get(f"{self.prometheus}/api/v1/alerts")
        alerts = answer.raise_for_status().json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    async def services(self) -> set[str]:
        """Return the services whose metrics Prometheus has."""
        answer = await self.client.get(f"{self.prometheus}/api/v1/query", params={"query": "up == 1"})
        return {one["metric"]["service"] for one in answer.raise_for_status().json()["data"]["result"]}

    async def series(self) -> set[str]:
        """Return the names of all series that were scraped or recorded."""
        answer = await self.client.get(f"{self.prometheus}/api/v1/label/__name__/values")
        return set(answer.raise_for_status().json()["data"])

    async def calls(self, alert: str, *, within: float) -> set[str]:
        """Wait until somebody is called for `alert`; return everything for which somebody was called meanwhile."""
        return await self._until(lambda called: alert in called, f"{alert} is called", within)

    async def calls_for(self, seconds: float) -> set[str]:
        """Return everything for which somebody is called in the next `seconds`."""
        until = time.monotonic() + seconds
        return await self._until(lambda _: time.monotonic() > until, "time passes", seconds + 5)

    async def is_quiet(self, *, within: float, but: Collection[str] = ()) -> None:
        """Wait until nothing fires any more `but` what is named."""
        await self._until(lambda called: called <= set(but), "nobody is called any more", within)

    async def _until(self, done: Any, what: str, within: float) -> set[str]:
        seen: set[str] = set()
        before: set[str] = set()
        deadline = time.monotonic() + within
        while True:
            called = await self.called()
            seen |= called & before  # `group_wait`: who is kept back by a cause within a moment was never called for
            before = called
            if done(called):
                return seen
            assert time.monotonic() < deadline, f"not so after {within} s: {what}; called: {sorted(called)}"
            await asyncio.sleep(0.5)


@asynccontextmanager
async def watching(stack: EmbeddedStack, directory: Path) -> AsyncIterator[Watch]:
    """Run both until the block is left."""
    ports = [free_port(), free_port()]
    urls = [f"http://{LOOPBACK}:{port}" for port in ports]
    (directory / "rules").mkdir()
    for path in FILES:
        (directory / "rules" / path.name).write_text(faster(path))
    (directory / "prometheus.yml").write_text(yaml.safe_dump(prometheus_settings(stack, alertmanager=ports[1])))
    (directory / "alertmanager.yml").write_text(yaml.safe_dump(alertmanager_settings()))
    processes = [_prometheus(directory, ports[0]), _alertmanager(directory, ports[1])]
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            for process, url in zip(processes, urls, strict=True):
                process.start()
                await process.until(lambda url=url: _is_ready(client, url), within=READY_WITHIN)  # type: ignore[misc]
            yield Watch(urls[0], urls[1], client)
        finally:
            await asyncio.gather(*(process.stop() for process in processes))


def prometheus_settings(stack: EmbeddedStack, *, alertmanager: int) -> dict[str, Any]:
    """Return the deployed settings, with the stack's addresses, which do not say who is who, and a test's times."""
    settings: dict[str, Any] = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": SCRAPE}
    settings["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [f"{LOOPBACK}:{alertmanager}"]}]
    (job,) = settings["scrape_configs"]
    del job["relabel_configs"]
    scraped = {**{service.name: service.name for service in SERVICES}, **RELAYED_BY}
    job["static_configs"] = [
        {"targets": [stack.operations_url(process).removeprefix("http://")], "labels": {"service": name}}
        for name, process in scraped.items()
    ]
    return settings


def alertmanager_settings() -> dict[str, Any]:
    """Return the deployed settings, without the waits that gather alerts for a person."""
    settings: dict[str, Any] = yaml.safe_load((OBSERVABILITY / "alertmanager.yml").read_text())
    settings["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    return settings


def _prometheus(directory: Path, port: int) -> Process:
    command = [
        "prometheus",
        f"--config.file={directory}/prometheus.yml",
        f"--storage.tsdb.path={directory}/data",
        f"--web.listen-address={LOOPBACK}:{port}",
        "--rules.alert.resend-delay=1s",
    ]
    return Process("prometheus", command, log=directory / "prometheus.log", env=clean_environment(), cwd=directory)


def _alertmanager(directory: Path, port: int) -> Process:
    command = [
        "prometheus-alertmanager",
        f"--config.file={directory}/alertmanager.yml",
        f"--storage.path={directory}/alertmanager",
        f"--web.listen-address={LOOPBACK}:{port}",
        "--cluster.listen-address=",
    ]
    return Process("alertmanager", command, log=directory / "alertmanager.log", env=clean_environment(), cwd=directory)


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/-/ready")).is_success
    except httpx.TransportError:
        return False
