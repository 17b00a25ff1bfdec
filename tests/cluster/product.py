"""The product in a namespace with its real processes, on the embedded PostgreSQL, Kafka and Stripe's sandbox."""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.brokers import broker_choice
from sandbox.environment import shared_settings
from sandbox.infrastructure import Infrastructure
from sandbox.processes import DATABASES
from sandbox.stack import EmbeddedStack
from tests.cluster.api.cluster import Cluster, Object
from tests.cluster.manifests import Manifests
from tests.cluster.nodes.balancer import Balancer
from tests.cluster.nodes.fleet import Fleet
from tests.cluster.nodes.processes import Network, Processes
from tests.cluster.placing import placed, put, rolled_out

NAMESPACE: Final = "quittance-processes"
NODES: Final = ("processes-1", "processes-2")
_REPLICAS: Final = 2
"""Of each API and the gateway, as in production; the local overlay has one."""


@dataclass(frozen=True, slots=True)
class Product:
    """The running product: what it stands on, its pods, and the listeners that lead to them."""

    cluster: Cluster
    manifests: Manifests
    stack: EmbeddedStack
    pods: Processes
    balancer: Balancer

    async def rendered(self) -> list[Object]:
        """Return the local overlay of the version that is released now, with this machine's addresses and secrets."""
        objects = await self.manifests.render("local", namespace=NAMESPACE)
        stack = self.stack
        settings = shared_settings(stack.addresses, stack.broker, stack.webhook_secret)
        made = _addressed(objects, settings, stack.infrastructure.database_urls)
        return placed(made, Processes.kind)


@asynccontextmanager
async def a_product(cluster: Cluster, manifests: Manifests, directory: Path) -> AsyncIterator[Product]:
    """Start the parts, then the nodes, and roll out the local overlay. Stop all of it in reverse."""
    stack = EmbeddedStack(directory=directory / "stack", report=lambda name, text: print(f"{name}: {text}"))
    stack.infrastructure = _infrastructure(stack)
    network = Network()
    pods = Processes(cluster, network, directory / "pods")
    ports = {name: stack.addresses.ports[name] for name in ("catalog", "notifier", "purchases-api", "webhook-gateway")}
    balancer = Balancer(cluster, NAMESPACE, ports)
    try:
        await stack.infrastructure.start()
        async with Fleet(cluster, dict.fromkeys(NODES, pods)).running(), balancer.running():
            product = Product(cluster, manifests, stack, pods, balancer)
            await put(cluster, await product.rendered())
            await rolled_out(cluster, NAMESPACE)
            await balancer.knows_all()
            yield product
            await cluster.do("delete", "namespace", NAMESPACE, "--timeout=150s", within=180)
    finally:
        await stack.down()


def _infrastructure(stack: EmbeddedStack) -> Infrastructure:
    """Return the parts, where only the catalog is seeded: the other databases are empty until their Jobs have run."""
    return Infrastructure(
        directory=stack.directory,
        addresses=stack.addresses,
        webhook_secret=stack.webhook_secret,
        choice=broker_choice(),
        prepare=[database for database in DATABASES if database.name == "catalog"],
        without=(),
        forgetful=True,
        report=lambda name, text: print(f"{name}: {text}"),
        on_spawn=lambda: None,
    )


def _addressed(objects: list[Object], settings: dict[str, str], databases: dict[str, str]) -> list[Object]:
    """Return copies with this machine's values for settings that ConfigMaps and Secrets have; none is added."""
    made = copy.deepcopy(objects)
    for found in made:
        if found["kind"] == "ConfigMap":
            found["data"] = {name: settings.get(name, value) for name, value in (found.get("data") or {}).items()}
        if found["kind"] == "Secret":
            names, owner = found.pop("data"), found["metadata"]["name"].partition("-database")[0]
            known = settings | ({"DATABASE_URL": databases[owner]} if owner in databases else {})
            found["stringData"] = {name: known[name] for name in names}
        if found["kind"] == "HorizontalPodAutoscaler":
            found["spec"] |= {"minReplicas": _REPLICAS, "maxReplicas": _REPLICAS + 1}
    return made
