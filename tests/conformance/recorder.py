"""Keeps every request that reaches the sandbox's API, with its answer."""

import json
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe.app import App
from sandbox.stripe.asgi import Message, Receive, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer; `query` and `body` are form-encoded."""

    method: str
    path: str
    query: str
    body: str
    status: int
    answer: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.query or self.body}"


@dataclass(kw_only=True)
class Recorder:
    """An ASGI application around the sandbox."""

    app: App
    exchanges: list[Exchange] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        asked, answered, status = bytearray(), bytearray(), 0

        async def listen() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def speak(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answered.extend(message.get("body", b""))
            await send(message)

        await self.app(scope, listen, speak)
        self._keep(scope, body=asked.decode(), status=status, answer=json.loads(answered))

    def _keep(self, scope: MutableMapping[str, Any], *, body: str, status: int, answer: Any) -> None:
        exchange = Exchange(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode(),
            body=body,
            status=status,
            answer=answer,
        )
        self.exchanges.append(exchange)
