"""The product is upgraded while it is used, with its real processes: nothing fails and no webhook is lost."""

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from contracts import STRIPE_EVENTS
from sandbox.driver import Driver
from tests.cluster.api.cluster import Cluster
from tests.cluster.load import Load
from tests.cluster.manifests import Manifests
from tests.cluster.nodes.processes import Pod
from tests.cluster.placing import none_is_ending, put, rolled_out
from tests.cluster.product import NAMESPACE, Product, a_product
from tests.cluster.report import REPORT
from tests.reconciliation_check import check_reconciliation

NEXT = "0.1.998"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade that was watched: what was sent meanwhile, and the pods of before and after."""

    product: Product
    load: Load
    lost: set[str]
    old: str


@pytest.fixture(scope="module")
async def upgrade(
    cluster: Cluster, manifests: Manifests, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Upgrade]:
    """Roll the product out, use it, and release another version under load."""
    old = manifests.version
    directory = tmp_path_factory.mktemp("processes")
    async with a_product(cluster, manifests, directory) as product, Driver(product.stack.describe()) as driver:
        load = Load(driver, product.stack.webhook_secret)
        await load.buy()
        manifests.set_version(NEXT)
        changed = await product.rendered()
        async with load.running():
            await put(cluster, changed)
            await rolled_out(cluster, NAMESPACE)
            await none_is_ending(cluster, NAMESPACE)
        await driver.settle(seconds=90)
        await check_reconciliation(driver, *driver.shops)
        yield Upgrade(product, load, load.accepted - await _event_ids(driver), old)
    manifests.set_version(old)


@pytest.mark.timeout(60)
async def test_no_request_fails_while_every_process_is_replaced(upgrade: Upgrade) -> None:
    load = upgrade.load

    assert Counter(load.failures) == Counter()
    assert load.answers["webhook 200"] > 100
    assert load.bought > 2
    counts = ", ".join(f"{count} × {what}" for what, count in sorted(load.answers.items()))
    REPORT.ran.append(f"an upgrade of every real process under load: {counts}; none failed")


async def test_no_accepted_webhook_is_lost(upgrade: Upgrade) -> None:
    """Each one that was answered with 200 is a fact in the topic; and all that was bought meanwhile reconciles."""
    assert upgrade.lost == set()
    assert len(upgrade.load.accepted) > 100
    REPORT.ran.append(
        f"{len(upgrade.load.accepted)} webhooks accepted meanwhile, all of them in the topic; "
        f"{upgrade.load.bought} purchases of that time reconcile"
    )


async def test_old_and_new_pods_served_each_api(upgrade: Upgrade) -> None:
    served: dict[str, set[str]] = defaultdict(set)
    pods = {f"127{pod.address.removeprefix('10')}": pod for pod in upgrade.product.pods.pods.values()}
    for service, endpoint, status in upgrade.product.balancer.served:
        if status < 500:
            served[service].add(pods[endpoint.split(":")[0]].image.rpartition(":")[2])

    assert served["webhook-gateway"] == {upgrade.old, NEXT}
    assert served["purchases-api"] == {upgrade.old, NEXT}
    assert served["catalog"] == {upgrade.old, NEXT}


async def test_every_process_ends_at_sigterm_within_its_grace_period(upgrade: Upgrade) -> None:
    stops = {pod.name: container.stopped for pod in _replaced(upgrade) for container in pod.containers}

    assert len(stops) >= 7
    assert {name: stop for name, stop in stops.items() if stop is None or stop.killed or stop.code} == {}
    longest = max(stop.seconds for stop in stops.values() if stop)
    REPORT.ran.append(
        f"{len(stops)} processes stopped by SIGTERM after their preStop sleep; the longest took {longest:.1f} s"
    )


async def test_no_process_had_to_be_started_again(upgrade: Upgrade) -> None:
    pods = upgrade.product.pods.pods.values()

    assert {pod.name: c.restarts for pod in pods for c in pod.containers if c.restarts} == {}


async def test_the_migration_jobs_ran_for_each_version(upgrade: Upgrade) -> None:
    """The first one on an empty database, while what needs it waited; the second one found nothing to do."""
    migrated = defaultdict(list)
    for pod in upgrade.product.pods.pods.values():
        if pod.app.endswith("-migrate"):
            migrated[pod.app].append((pod.image.rpartition(":")[2], [c.process.exit_code for c in pod.containers]))

    both = [(upgrade.old, [0]), (NEXT, [0])]
    assert migrated == {f"{service}-migrate": both for service in ("catalog", "notifier", "purchases")}
    REPORT.ran.append("the migration Jobs of both versions, in real processes; the first ones from empty databases")


def _replaced(upgrade: Upgrade) -> list[Pod]:
    """Return the pods of the old version that serve, and not those of Jobs."""
    pods = upgrade.product.pods.pods.values()
    return [pod for pod in pods if pod.image.endswith(f":{upgrade.old}") and pod.stopping is not None]


async def _event_ids(driver: Driver) -> set[str]:
    """Return the id of every event of Stripe's that is in the topic."""
    facts = await driver.inspector.facts(STRIPE_EVENTS)
    return {found for _, data in facts for found in re.findall(r"evt_[0-9a-zA-Z]+", data.decode())}
