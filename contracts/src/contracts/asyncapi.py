"""Writes `asyncapi.json`: the topics and what is on them, as AsyncAPI 3.0. `--check` only compares."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from contracts.envelope import CONTENT_TYPE
from contracts.fact import Fact
from contracts.schemas import ROOT
from contracts.topics import ALL_TOPICS, STRIPE_EVENTS, TOPICS, Topic

Json = dict[str, Any]

FILE: Final = ROOT / "asyncapi.json"
BINDING: Final = "0.5.0"
"""Version of AsyncAPI's Kafka bindings. Source: https://github.com/asyncapi/bindings/tree/master/kafka."""
TEXT: Final = {"type": "string"}
HEADERS: Final[Json] = {
    "type": "object",
    "description": "CloudEvents 1.0 in Kafka's binary mode.",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "The same for the same fact, for ever."},
        "ce_type": {"type": "string", "description": "The fact and its version."},
        "ce_source": TEXT,
        "ce_subject": {"type": "string", "description": "The id of what the fact is about."},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it happened."},
        "content-type": {"const": CONTENT_TYPE},
        "traceparent": {"type": "string", "description": "W3C Trace Context, where there is a trace."},
    },
}


def document() -> Json:
    """The whole document; schemas are referred to where they lie, examples are copied in."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Quittance facts",
            "version": "1.0.0",
            "description": "Of add-ons, plans, purchases and workspaces: at least once, in order per key.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.name: _channel(topic) for topic in ALL_TOPICS},
        "operations": {f"publish {topic.name}": _operation(topic) for topic in ALL_TOPICS},
        "components": {"messages": {fact.TYPE: _message(fact) for fact in TOPICS}, "schemas": {"headers": HEADERS}},
    }


def _channel(topic: Topic) -> Json:
    configuration = {"cleanup.policy": [topic.cleanup_policy], "retention.ms": topic.retention_ms}
    binding = {"partitions": topic.partitions, "topicConfiguration": configuration, "bindingVersion": BINDING}
    facts = [fact for fact, where in TOPICS.items() if where is topic]
    return {
        "address": topic.name,
        "description": "Internal." if topic is STRIPE_EVENTS else "For everybody.",
        "messages": {fact.TYPE: {"$ref": f"#/components/messages/{fact.TYPE}"} for fact in facts},
        "bindings": {"kafka": binding},
    }


def _operation(topic: Topic) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"The service {topic.owner} is the only one that sends to it.",
    }


def _message(fact: type[Fact]) -> Json:
    example = json.loads((ROOT / "examples" / f"{fact.TYPE}.json").read_text())
    return {
        "name": fact.TYPE,
        "title": fact.__name__,
        "summary": (fact.__doc__ or "").partition("\n")[0],
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./schemas/{fact.TYPE}.json"},
        },
        "bindings": {"kafka": {"key": {**TEXT, "description": TOPICS[fact].key}, "bindingVersion": BINDING}},
        "examples": [{"payload": example}],
    }


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def is_stale(file: Path = FILE) -> bool:
    """Whether the committed document is missing or differs from the code."""
    return not file.exists() or file.read_text() != text()


if __name__ == "__main__":
    if "--check" not in sys.argv:
        FILE.write_text(text())
    elif is_stale():
        sys.exit("contracts/asyncapi.json is not what the code says (python -m contracts.asyncapi)")
