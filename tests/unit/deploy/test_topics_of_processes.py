"""One list says which topics a process uses: its consumer, its readiness, the doctor and the documents go by it."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from contracts.topics import ALL_TOPICS
from tests.contract.docs.tables import USED

ROOT: Final = Path(__file__).parents[3]
BUILT_IN: Final[Mapping[str, str]] = {
    "webhook-gateway": "webhook-gateway/src/webhook_gateway/main.py",
    "webhook-gateway-backfill": "webhook-gateway/src/webhook_gateway/backfill/command.py",
    "catalog": "catalog/src/catalog/main/service.py",
    "purchases-api": "purchases/src/purchases/main/api.py",
    "purchases-worker": "purchases/src/purchases/main/worker.py",
    "catalog-relay": "catalog/src/catalog/main/relay.py",
    "purchases-relay": "purchases/src/purchases/main/relay.py",
    "notifier": "notifier/src/notifier/main/service.py",
}
"""Where each process puts its parts together."""


@pytest.mark.parametrize("process", BUILT_IN)
def test_its_parts_read_and_write_what_it_says(process: str) -> None:
    """Who builds a consumer takes its topics from the list, who takes tokens reads the ended sessions, and so on."""
    calls = called_in(ROOT / "services" / BUILT_IN[process])
    consumes = [ast.unparse(word.value) for word in calls.get("Consumer", []) if word.arg == "topics"]
    used = USED[process]

    assert [re.sub(r"USED\w*", "USED", topics) for topics in consumes] == ["USED.reads"] * bool(used.reads)
    assert ("EndedSessions" in calls) is used.sessions
    assert ("TokenVerifier" in calls) is used.sessions
    assert bool({"Relay", "BrokerConnection"} & calls.keys()) is bool(used.writes)


def called_in(path: Path) -> dict[str, list[ast.keyword]]:
    """The keyword arguments of each call in a file, by what is called."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {node.func.id: node.keywords for node in calls if isinstance(node.func, ast.Name)}


def test_every_topic_has_a_service_that_writes_it() -> None:
    written = {
        name: used.writes for name, used in USED.items() if not name.endswith("-relay") and "backfill" not in name
    }

    assert sorted(topic for topics in written.values() for topic in topics) == sorted(one.name for one in ALL_TOPICS)


def test_a_relay_apart_writes_what_its_service_then_leaves_to_it() -> None:
    for service, relay in (("catalog", "catalog-relay"), ("purchases-worker", "purchases-relay")):
        assert USED[relay].writes == USED[service].writes != frozenset()
        assert USED[service].with_relay("apart").all == USED[service].all_read | USED[service].reads_back
