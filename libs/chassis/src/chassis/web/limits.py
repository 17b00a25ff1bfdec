"""What a request may cost before anybody looked at it: size and time of its body, and characters that no id has."""

import asyncio
import re
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problems import Problem, ProblemResponse

MAX_BODY: Final = 256 * 1024
BODY_SECONDS: Final = 30.0
MAX_DIGITS: Final = 18
# NUL cannot be stored by PostgreSQL, U+FFFD is what undecodable bytes became, surrogates cannot be encoded.
_NEVER_IN_A_PATH: Final = re.compile("[\x00-\x1f\x7f�\ud800-\udfff]")
_NUL_IN_QUERY: Final = re.compile(rb"%00|\x00")


class BodyLimits:
    """Refuse a body that is too large (413), also a chunked one, or that takes too long to arrive (408)."""

    def __init__(self, app: ASGIApp, *, max_bytes: int = MAX_BODY, seconds: float = BODY_SECONDS) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _declared_length(scope) > self.max_bytes:
            await ProblemResponse(too_large(self.max_bytes))(scope, receive, send)
        else:
            await self.app(scope, self._limited(receive), send)

    def _limited(self, receive: Receive) -> Receive:
        deadline = asyncio.get_running_loop().time() + self.seconds
        size, complete = 0, False

        async def limited() -> Message:
            nonlocal size, complete
            if complete:  # now it waits for the client to leave, for as long as the answer takes
                return await receive()
            message = await _before(deadline, receive)
            size += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if size > self.max_bytes:
                raise HTTPException(413)
            return message

        return limited


async def _before(deadline: float, receive: Receive) -> Message:
    try:
        async with asyncio.timeout_at(deadline):
            return await receive()
    except TimeoutError as error:
        raise HTTPException(408, headers={"Connection": "close"}) from error


def too_large(max_bytes: int) -> Problem:
    """413, with the limit."""
    return Problem(413, "body-too-large", "The body is too large", f"At most {max_bytes} bytes are accepted.")


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value[:MAX_DIGITS]) if value.isdigit() else 0
    return 0


class SaneTargets:
    """A path with a control character names nothing (404); a query with NUL is not valid (422)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        problem = _problem_of_target(scope) if scope["type"] == "http" else None
        await (ProblemResponse(problem) if problem else self.app)(scope, receive, send)


def _problem_of_target(scope: Scope) -> Problem | None:
    if _NEVER_IN_A_PATH.search(scope["path"]):
        return Problem(404, "not-found", "There is nothing here")
    if _NUL_IN_QUERY.search(scope["query_string"]):
        return Problem(422, "invalid-request", "The request is not valid", "The query holds a NUL character.")
    return None
