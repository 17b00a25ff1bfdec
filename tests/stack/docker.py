"""PostgreSQL and Apache Kafka in containers, for STACK=docker: the images of the compose file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.ports import LOOPBACK, free_port

POSTGRES_IMAGE = "postgres:18"
KAFKA_IMAGE = "apache/kafka:4.3.1"


def docker_is_asked_for() -> bool:
    return os.environ.get("STACK") == "docker"


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of its superuser."""
    from testcontainers.core.container import DockerContainer  # slow to import, and seldom needed
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    port = free_port()
    ready = LogMessageWaitStrategy("database system is ready to accept connections", times=2)
    container = DockerContainer(POSTGRES_IMAGE).with_env("POSTGRES_PASSWORD", "tests").with_bind_ports(5432, port)
    with container.waiting_for(ready.with_startup_timeout(60)):
        yield f"postgresql://postgres:tests@{LOOPBACK}:{port}/postgres"


@contextmanager
def running_kafka() -> Iterator[str]:
    """Bootstrap servers. The port is chosen first, because the broker must advertise it."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    port = free_port()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    for name, value in _kafka_settings(port).items():
        container = container.with_env(name, value)
    with container.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(90)):
        yield f"{LOOPBACK}:{port}"


def _kafka_settings(port: int) -> dict[str, str]:
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }
