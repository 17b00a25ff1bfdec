"""The ASGI end of the API: bytes in, bytes out, and the ways of not answering."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from sandbox.stripe.api import Api, Request, Unanswered
from sandbox.stripe.idempotency import Answer
from sandbox.stripe.versions import CURRENT

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def api_app(api: Api) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Serve `api` as an ASGI application."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = await _read(scope, receive, version=api.account.settings.api_version)
        try:
            answer, headers = await api.answer(request)
        except Unanswered as unanswered:
            _note(api, request, status=None)
            await _do_not_answer(receive, send, seconds=unanswered.seconds)
            return
        _note(api, request, status=answer.status, replayed="Idempotent-Replayed" in headers)
        await _send(send, answer, headers=_headers(request, answer) | headers)

    return app


async def _read(scope: Scope, receive: Receive, *, version: str) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        path=scope["path"],
        headers=headers,
        query=scope["query_string"].decode("latin-1"),
        body=body.decode("utf-8", "replace"),
        version=headers.get("stripe-version", version),
    )


def _headers(request: Request, answer: Answer) -> dict[str, str]:
    """Stripe's headers. A client must not repeat a stored 500, since its key would only replay it."""
    headers = {"Request-Id": request.id, "Stripe-Version": request.version}
    if request.key:
        headers["Idempotency-Key"] = request.key
    if not answer.should_retry:
        headers["Stripe-Should-Retry"] = "false"
    return headers


async def _send(send: Send, answer: Answer, *, headers: dict[str, str]) -> None:
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(answer.body)),
        "Cache-Control": "no-cache, no-store",
        **headers,
    }
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})


async def _do_not_answer(receive: Receive, send: Send, *, seconds: float | None) -> None:
    """Wait until the client has gone or the time is up; an answer left unfinished then breaks the connection."""
    if seconds is not None:
        with suppress(TimeoutError):
            await asyncio.wait_for(receive(), timeout=seconds)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


def _note(api: Api, request: Request, *, status: int | None, replayed: bool = False) -> None:
    api.log.append(
        {
            "id": request.id,
            "operation": request.operation,
            "method": request.method,
            "path": request.path,
            "body": request.body,
            "idempotency_key": request.key,
            "version": request.version,
            "status": status,
            "replayed": replayed,
        }
    )
    if api.file and status == 200 and request.version == CURRENT:
        api.file.note(
            operation=request.operation,
            method=request.method,
            path=request.path,
            query=request.query,
            body=request.body,
        )
