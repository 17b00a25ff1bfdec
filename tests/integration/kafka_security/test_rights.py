"""The rights that deploy/k8s gives each process, on a broker that refuses the rest: they suffice, and are no more."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import confluent_kafka.admin
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

from chassis.kafka.broker_check import TopicsUsed, existing_topics
from chassis.kafka.kafka import connection
from chassis.process.settings import ServiceSettings
from contracts.topics import ALL_TOPICS
from sandbox import places
from sandbox.kafka import ApacheKafka
from sandbox.ports import free_port
from sandbox.topics import create_topics
from tests.contract.deploy.generated import GROUPS, RELAYED
from tests.contract.deploy.workloads import of_kind
from tests.contract.docs.tables import USED
from tests.integration.starting.commands import run
from tests.stack.authority import Authority

ADMIN: Final[Any] = confluent_kafka.admin
"""Its types do not export what it does."""
MORE: Final = """\
listeners=PLAINTEXT://{{host}}:{{port}},CONTROLLER://{{host}}:{{controller}},SSL://{{host}}:{ssl}
advertised.listeners=PLAINTEXT://{{host}}:{{port}},SSL://{{host}}:{ssl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/
listener.name.ssl.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
"""
OF_THE_TOPICS_JOB: Final = ("Create", "Alter", "AlterConfigs", "Describe", "DescribeConfigs")
"""On what begins with `billing.`, as deploy/k8s/README.md says."""


@dataclass(frozen=True)
class Guarded:
    """A broker that asks for a certificate and for rights."""

    ours: Authority
    address: str

    def settings(self, user: str) -> dict[str, str]:
        certificate, key = self.ours.signed(user)
        return {
            "APP_ENV": "testing",
            "KAFKA_BOOTSTRAP_SERVERS": self.address,
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SECURITY_CAFILE": str(self.ours.cafile),
            "KAFKA_SECURITY_CERTFILE": str(certificate),
            "KAFKA_SECURITY_KEYFILE": str(key),
        }

    def as_user(self, user: str) -> ServiceSettings:
        values: Any = {name.lower(): value for name, value in self.settings(user).items()}
        return ServiceSettings(**values)


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    directory: Path = tmp_path_factory.mktemp("guarded")
    ours, ssl = Authority(directory), free_port()
    more = MORE.format(ssl=ssl, keystore=ours.for_a_broker(), truststore=ours.cafile)
    broker = ApacheKafka(
        directory=directory / "kafka", cache=places.maven_cache(), log=directory / "kafka.log", more=more
    )
    await broker.start()
    try:
        await create_topics(broker.bootstrap, ALL_TOPICS)
        grant(broker.bootstrap)
        guarded = Guarded(ours, f"127.0.0.1:{ssl}")
        await until_granted(guarded)
        yield guarded
    finally:
        await broker.stop()


async def until_granted(guarded: Guarded) -> None:
    """A broker answers that a right is given before it goes by it; the topics Job's is the last one."""
    settings = guarded.as_user("topics")
    async with asyncio.timeout(30):
        while not await existing_topics(settings):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def grant(bootstrap: str) -> None:
    """Give each user what production's KafkaUser says, as Strimzi does; and the topics Job what the README says."""
    bindings = [
        binding(one["metadata"]["name"], acl["resource"]["type"], acl["resource"]["name"], operation)
        for one in of_kind("production", "KafkaUser")
        for acl in one["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    ]
    bindings += [binding("topics", "topic", "billing.", operation, prefix=True) for operation in OF_THE_TOPICS_JOB]
    admin = ADMIN.AdminClient({"bootstrap.servers": bootstrap})  # without a name it would end before its answers
    for done in admin.create_acls(bindings).values():
        done.result(timeout=30)


def binding(user: str, kind: str, name: str, operation: str, *, prefix: bool = False) -> Any:
    words = {"AlterConfigs": "ALTER_CONFIGS", "DescribeConfigs": "DESCRIBE_CONFIGS"}
    return ADMIN.AclBinding(
        ADMIN.ResourceType.TOPIC if kind == "topic" else ADMIN.ResourceType.GROUP,
        name,
        ADMIN.ResourcePatternType.PREFIXED if prefix else ADMIN.ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        ADMIN.AclOperation[words.get(operation, operation.upper())],
        ADMIN.AclPermissionType.ALLOW,
    )


def used_by(process: str) -> TopicsUsed:
    return USED[process].with_relay("apart" if process in RELAYED else "inside")


@pytest.mark.parametrize("process", USED)
async def test_a_process_sees_the_topics_that_its_readiness_asks_for_and_no_other(
    guarded: Guarded, process: str
) -> None:
    assert await existing_topics(guarded.as_user(process)) == used_by(process).all


@pytest.mark.parametrize("process", USED)
async def test_a_process_writes_its_topics_and_is_refused_all_others(guarded: Guarded, process: str) -> None:
    """As the relay and the gateway do: idempotent, once all replicas have it."""
    options = connection(guarded.as_user(process))
    taken = {topic.name for topic in ALL_TOPICS if await takes(topic.name, options)}

    assert taken == used_by(process).writes


async def takes(topic: str, options: dict[str, Any]) -> bool:
    """Whether the broker takes a record; who writes nothing at all is refused before it says where."""
    producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True)
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"{}", key=b"key")
    except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError):
        return False
    finally:
        await producer.stop()
    return True


@pytest.mark.parametrize("process", GROUPS)
async def test_a_consumer_reads_and_commits_in_its_own_group_alone(guarded: Guarded, process: str) -> None:
    options, used = connection(guarded.as_user(process)), used_by(process)
    consumer = AIOKafkaConsumer(*used.reads, **options, group_id=GROUPS[process], enable_auto_commit=False)
    async with consumer:
        place = TopicPartition(used.reads[0], 0)
        await consumer.getmany(timeout_ms=200)
        await consumer.commit({place: 0})
        assert await consumer.committed(place) == 0
        assert await consumer.end_offsets([place])

    with pytest.raises(GroupAuthorizationFailedError):
        async with AIOKafkaConsumer(*used.reads, **options, group_id=f"other-{uuid.uuid4().hex}") as other:
            await other.getmany(timeout_ms=200)


@pytest.mark.parametrize("process", [name for name, used in USED.items() if used.sessions])
async def test_who_takes_tokens_reads_which_have_ended(guarded: Guarded, process: str) -> None:
    [topic] = used_by(process).all_read - set(used_by(process).reads)
    consumer = AIOKafkaConsumer(**connection(guarded.as_user(process)), group_id=None, enable_auto_commit=False)
    async with consumer:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        await consumer.getmany(timeout_ms=200)


async def test_who_has_no_process_sees_nothing(guarded: Guarded) -> None:
    assert await existing_topics(guarded.as_user("somebody")) == frozenset()


async def test_the_topics_job_needs_what_the_readme_says(guarded: Guarded) -> None:
    words = ("--replication=1", "--min-insync=1")
    done = await run("chassis.kafka.make_topics", *words, given_settings=guarded.settings("topics"))
    again = await run("chassis.kafka.make_topics", *words, given_settings=guarded.settings("topics"))
    without = await run("chassis.kafka.make_topics", *words, given_settings=guarded.settings("notifier"))

    assert (done.status, "min.insync.replicas" in done.output or "nothing to change" in done.output) == (0, True)
    assert (again.status, "nothing to change" in again.output) == (0, True), again.output
    assert (without.status, "topics: " in without.output) == (2, True), without.output
