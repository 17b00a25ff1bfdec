"""RFC 9457 problem details: every refusal has a stable `type`, says what to do, and leaks nothing."""

import json
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PROBLEM_BASE: Final = "https://quittance.dev/problems/"
MEDIA_TYPE: Final = "application/problem+json"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer that is not the one asked for. `slug` is stable: clients branch on the `type` made of it.

    `retry_after`: seconds after which the same request may succeed; None where it would be refused again.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        retry_after: int | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{status} {slug}: {detail or title}")
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.retry_after = retry_after
        self.headers = dict(headers or {}) | ({} if retry_after is None else {"Retry-After": str(retry_after)})
        self.extra = extra

    @property
    def type(self) -> str:
        """The problem's URI."""
        return PROBLEM_BASE + self.slug

    def members(self) -> dict[str, Any]:
        """Return the body, extension members last; a null detail is left out."""
        standard = {"type": self.type, "title": self.title, "status": self.status}
        return standard | ({"detail": self.detail} if self.detail else {}) | self.extra


class ProblemResponse(Response):
    """A problem on the wire."""

    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem) -> None:
        super().__init__(encode(problem.members()), status_code=problem.status, headers=problem.headers)
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        answered_with(self._problem, scope)
        await super().__call__(scope, receive, send)


def answered_with(problem: Problem, scope: MutableMapping[str, Any]) -> None:
    """Leave with the request what it was refused with: the log says why, however the answer looks."""
    scope.setdefault("state", {})["problem"] = problem


def encode(members: Mapping[str, Any]) -> bytes:
    """UTF-8 JSON. A lone surrogate, which a client can smuggle into a field's name, becomes `?` and no 500."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")


SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
"""Of every problem; extension members depend on the type."""
