"""Writes `asyncapi.json`: the topics and what is on them, as AsyncAPI 3.0. `--check` only compares."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from contracts.envelope import CONTENT_TYPE
from contracts.fact import Fact
from contracts.schemas import ROOT, only_compares
from contracts.topics import ALL_TOPICS, INTERNAL, TOPICS, Topic, seal

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
        "ce_backfilled": {
            "const": "true",
            "description": "Published again from Stripe's list of events, rendered anew; under the same ce_id.",
        },
    },
}
SERVERS: Final[Json] = {
    "deployed": {
        "host": "{bootstrap}",
        "protocol": "kafka-secure",
        "protocolVersion": "4.3",
        "description": "A deployment: TLS, and one user for each of your services.",
        "variables": {
            "bootstrap": {"description": "KAFKA_BOOTSTRAP_SERVERS: what the deployment's operators tell you."}
        },
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in ("scram512", "scram256", "plain")],
    },
    "compose": {
        "host": "127.0.0.1:19092",
        "protocol": "kafka",
        "description": "`docker compose up` on your machine: no password, no TLS.",
    },
    "embedded": {
        "host": "127.0.0.1:{port}",
        "protocol": "kafka",
        "description": "`make up` on your machine: no password, no TLS.",
        "variables": {"port": {"description": "That of `kafka_bootstrap_servers` in `.stack/stack.json`."}},
    },
}
SECURITY: Final[Json] = {
    "scram512": {"type": "scramSha512", "description": "KAFKA_SECURITY_MECHANISM=SCRAM-SHA-512, over TLS."},
    "scram256": {"type": "scramSha256", "description": "KAFKA_SECURITY_MECHANISM=SCRAM-SHA-256, over TLS."},
    "plain": {"type": "plain", "description": "KAFKA_SECURITY_MECHANISM=PLAIN, over TLS."},
}
"""Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0#securitySchemeObject."""
EXAMPLE_TIME: Final = datetime(2026, 3, 4, 10, 30, 3, tzinfo=UTC)


def document() -> Json:
    """Return the whole document; schemas are referred to where they lie, examples are copied in."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Quittance facts",
            "version": "1.0.0",
            "description": "Of add-ons, plans, purchases and workspaces: at least once, in order per key.",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": SERVERS,
        "channels": {topic.name: _channel(topic) for topic in ALL_TOPICS},
        "operations": {f"publish {topic.name}": _operation(topic) for topic in ALL_TOPICS},
        "components": {
            "messages": {fact.TYPE: _message(fact) for fact in TOPICS},
            "schemas": {"headers": HEADERS},
            "securitySchemes": SECURITY,
        },
    }


def _channel(topic: Topic) -> Json:
    configuration = {"cleanup.policy": topic.cleanup_policy.split(","), "retention.ms": topic.retention_ms}
    binding = {"partitions": topic.partitions, "topicConfiguration": configuration, "bindingVersion": BINDING}
    facts = [fact for fact, where in TOPICS.items() if where is topic]
    return {
        "address": topic.name,
        "description": "Internal." if topic.name in INTERNAL else "For everybody.",
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
    body = (ROOT / "examples" / f"{fact.TYPE}.json").read_text()
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
        "examples": [{"name": fact.__name__, "headers": _headers(fact, body), "payload": json.loads(body)}],
    }


def _headers(fact: type[Fact], body: str) -> Json:
    """As a client shows them that reads bytes as text."""
    envelope = seal(fact.model_validate_json(body), occurred_at=EXAMPLE_TIME)
    return {name: value.decode() for name, value in envelope.to_headers()}


def text() -> str:
    """Return the document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def is_stale(file: Path = FILE) -> bool:
    """Return whether the committed document is missing or differs from the code."""
    return not file.exists() or file.read_text() != text()


if __name__ == "__main__":
    if not only_compares("contracts.asyncapi", __doc__):
        FILE.write_text(text())
    elif is_stale():
        sys.exit("contracts/asyncapi.json is not what the code says (python -m contracts.asyncapi)")
