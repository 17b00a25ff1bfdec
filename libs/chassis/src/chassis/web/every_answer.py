"""What every answer of ours carries and every request must have: the server's one middleware, on each of its ports."""

import re
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problems import Problem, ProblemResponse
from chassis.process.logs import get_logger

log = get_logger(__name__)

A_YEAR_S: Final = 31_536_000
HSTS: Final = f"max-age={A_YEAR_S}"
NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
"""The policy of what is no page: JSON, redirects, files. A page says its own."""
_HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]{0,5})?")
BAD_HOST: Final = Problem(
    400, "invalid-host", "It is not said whose this request is", "Send exactly one Host header, with a host's name."
)
"""Source: https://www.rfc-editor.org/rfc/rfc9112#section-3.2."""
FAILED: Final = Problem(500, "internal-error", "Something went wrong on our side")


def headers_for(*, protected: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Return what an answer carries that does not say otherwise; over TLS only, from now on, where `protected`."""
    named = {
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "content-security-policy": NOTHING,
        **({"strict-transport-security": HSTS} if protected else {}),
    }
    return tuple((name.encode(), value.encode()) for name, value in named.items())


class EveryAnswer:
    """Completes the headers of each answer, also of one made without a framework, and answers what failed with 500.

    A request without a usable Host is refused with 400; HTTP/1.0, which old probes speak, may leave it out.
    """

    def __init__(self, app: ASGIApp, *, protected: bool) -> None:
        self._app = app
        self._headers = headers_for(protected=protected)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Raises again what was raised after the answer had begun: the connection must then be cut."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def completed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": self._complete(message.get("headers", ()))}
            await send(message)

        try:
            await (self._app if names_a_host(scope) else ProblemResponse(BAD_HOST))(scope, receive, completed)
        except Exception:
            if started:
                raise
            log.exception("unanswered_error")
            await ProblemResponse(FAILED)(scope, receive, completed)

    def _complete(self, given: Any) -> list[tuple[bytes, bytes]]:
        headers = [*given]
        said = {name.lower() for name, _ in headers}
        return headers + [pair for pair in self._headers if pair[0] not in said]


def names_a_host(scope: Scope) -> bool:
    """Return whether there is exactly one Host header with the name of a host; none is enough in HTTP/1.0."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if not hosts:
        return bool(scope["http_version"] == "1.0")
    return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None
