"""The least that could be called a gateway: verify the signature, produce the body, answer. What ours is held against.

One ASGI callable under uvicorn (httptools, uvloop), one raw idempotent producer with acks=all.
"""

import argparse
import hmac
from dataclasses import dataclass
from typing import Any, Final

import uvicorn
from aiokafka import AIOKafkaProducer
from starlette.types import Receive, Scope, Send

MAX_BATCH_BYTES: Final = 1 << 20
BODY: Final = b'{"received":true}'
HEADERS: Final = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


@dataclass(slots=True)
class BareGateway:
    """Publishes whatever is signed."""

    bootstrap: str
    topic: str
    secret: bytes
    producer: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = await _body(receive)
        status = 403
        if self._is_signed(dict(scope["headers"]).get(b"stripe-signature", b""), body):
            await (await self.producer.send(self.topic, body))
            status = 200
        await send({"type": "http.response.start", "status": status, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})

    def _is_signed(self, header: bytes, body: bytes) -> bool:
        pairs = dict(item.split(b"=", 1) for item in header.split(b",") if b"=" in item)
        expected = hmac.digest(self.secret, pairs.get(b"t", b"") + b"." + body, "sha256").hex().encode()
        return hmac.compare_digest(expected, pairs.get(b"v1", b""))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, max_batch_size=MAX_BATCH_BYTES
        )
        await self.producer.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.producer.stop()
        await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser()
    for name in ("port", "bootstrap", "topic", "secret"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    app = BareGateway(given.bootstrap, given.topic, given.secret.encode())
    uvicorn.run(app, port=int(given.port), http="httptools", loop="uvloop", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
