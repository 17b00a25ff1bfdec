"""The fallback broker, run as its own process: librdkafka's mock cluster, a Kafka that keeps all in memory.

`python -m sandbox.librdkafka_broker --topics NAME:PARTITIONS,… --ready FILE` writes `host:port` into FILE when it
listens, on loopback only. SIGUSR1 takes the broker down, keeping its records; SIGUSR2 brings it back on the same port.
"""

import argparse
import ctypes
import importlib.util
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

_BROKER_ID: Final = 1
_FUNCTIONS: Final[Mapping[str, tuple[Any, list[Any]]]] = {
    "rd_kafka_conf_new": (ctypes.c_void_p, []),
    "rd_kafka_conf_set": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t],
    ),
    "rd_kafka_new": (ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
    "rd_kafka_mock_cluster_new": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "rd_kafka_mock_cluster_bootstraps": (ctypes.c_char_p, [ctypes.c_void_p]),
    "rd_kafka_mock_topic_create": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int],
    ),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [ctypes.c_void_p, ctypes.c_int32]),
    "rd_kafka_mock_broker_set_down": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
    "rd_kafka_mock_broker_set_up": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
    "rd_kafka_mock_set_controller_id": (None, [ctypes.c_void_p, ctypes.c_int32]),
}


class MockCluster:
    """One broker with one in-memory replica of each partition."""

    def __init__(self) -> None:
        self._library = _load()
        error = ctypes.create_string_buffer(512)
        conf = self._library.rd_kafka_conf_new()
        self._library.rd_kafka_conf_set(conf, b"log_level", b"3", error, len(error))
        client = self._library.rd_kafka_new(0, conf, error, len(error))
        if not client:
            raise RuntimeError(error.value.decode())
        self._cluster = self._library.rd_kafka_mock_cluster_new(client, 1)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self._library.rd_kafka_mock_set_controller_id(self._cluster, _BROKER_ID)

    @property
    def bootstrap(self) -> str:
        address: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return address.decode()

    def create_topic(self, name: str, partitions: int) -> None:
        if code := self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1):
            raise RuntimeError(f"librdkafka did not make topic {name}: error {code}")

    def down(self) -> None:
        self._library.rd_kafka_mock_broker_set_down(self._cluster, _BROKER_ID)

    def up(self) -> None:
        self._library.rd_kafka_mock_broker_set_up(self._cluster, _BROKER_ID)


def _load() -> ctypes.CDLL:
    """Load the librdkafka that the confluent-kafka wheel carries."""
    import confluent_kafka  # noqa: F401 - loads the libraries that librdkafka needs

    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        raise RuntimeError("the confluent-kafka wheel is not installed")
    package = Path(spec.origin).parent
    places = [package.parent / "confluent_kafka.libs", package / ".dylibs"]
    library = ctypes.CDLL(str(next(path for place in places for path in place.glob("librdkafka*"))))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _topics(text: str) -> list[tuple[str, int]]:
    pairs = (item.split(":") for item in text.split(",") if item)
    return [(name, int(partitions)) for name, partitions in pairs]


def _write_whole(path: Path, text: str) -> None:
    """Nobody sees a half-written file."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.librdkafka_broker")
    parser.add_argument("--topics", type=_topics, default=[])
    parser.add_argument("--ready", type=Path, required=True)
    options = parser.parse_args(arguments)
    watched = {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2}
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)  # before librdkafka starts its threads
    cluster = MockCluster()
    for name, partitions in options.topics:
        cluster.create_topic(name, partitions)
    _write_whole(options.ready, cluster.bootstrap)
    while (what := signal.sigwait(watched)) in {signal.SIGUSR1, signal.SIGUSR2}:
        (cluster.down if what == signal.SIGUSR1 else cluster.up)()
    os._exit(0)  # librdkafka's threads are not worth waiting for


if __name__ == "__main__":
    main()
