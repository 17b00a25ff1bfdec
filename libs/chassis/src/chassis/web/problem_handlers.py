"""Makes every error of a FastAPI app a problem: ours, the framework's, an invalid request, and what nobody caught."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problems import METHODS, Problem, ProblemResponse
from chassis.process.logs import get_logger

log = get_logger(__name__)

MAX_ERRORS: Final = 20
MAX_TEXT: Final = 200
JSON_MEDIA_TYPE: Final = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)

KNOWN: Final[Mapping[int, tuple[str, str]]] = {
    400: ("malformed-body", "The body cannot be read"),
    404: ("not-found", "There is nothing here"),
    405: ("method-not-allowed", "This method is not possible here"),
    408: ("request-timeout", "The request did not arrive in time"),
    413: ("body-too-large", "The body is too large"),
    415: ("unsupported-media-type", "The body must be JSON"),
    431: ("headers-too-large", "The request's headers are too large"),
}
"""Status raised by the framework → slug and title."""
MALFORMED_JSON: Final = (400, "malformed-json", "The body is not JSON")


def install_problems(app: FastAPI, *, passes: Callable[[Exception], bool] = lambda _: False) -> None:
    """Make every answer that is an error a problem, whoever raised it; what `passes` by itself is a 503."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_middleware(UnexpectedErrors, passes=passes)


class UnexpectedErrors:
    """The last resort: log what nobody caught, once, and answer 500 without a word about it."""

    def __init__(self, app: ASGIApp, passes: Callable[[Exception], bool] = lambda _: False) -> None:
        self.app = app
        self._passes = passes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Raises again when the answer has begun: the connection must then be cut."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError as stopped:
            # The process ends while this request still works: uvicorn's own answer would be a 500.
            if scope["type"] != "http" or started:
                raise
            await ProblemResponse(_unavailable(stopped))(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            await ProblemResponse(problem_of(error, passes=self._passes))(scope, receive, send)


def problem_of(error: Exception, *, passes: Callable[[Exception], bool]) -> Problem:
    """Return the answer to an error that nobody caught, which is logged; 503 for one that `passes` by itself."""
    return _unavailable(error) if passes(error) else _problem_of(error)


def _unavailable(error: BaseException) -> Problem:
    log.warning("temporarily_unavailable", error=repr(error)[:300])
    return Problem(
        503,
        "temporarily-unavailable",
        "We cannot answer right now",
        "Ask again in a moment; a repeated Idempotency-Key is safe.",
        retry_after=1,
    )


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return framework_problem(error)
    log.error("unexpected_error", exc_info=error)
    return Problem(500, "internal-error", "Something went wrong on our side")


def framework_problem(error: HTTPException) -> Problem:
    """Return the problem for a status that the framework chose; its own words are English phrases and not kept."""
    slug, title = KNOWN.get(error.status_code, (f"http-{error.status_code}", _phrase(error.status_code)))
    return Problem(error.status_code, slug, title, headers=error.headers)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


async def _on_problem(_: Request, error: Any) -> ProblemResponse:
    return ProblemResponse(error)


async def _on_http_exception(request: Request, error: Any) -> ProblemResponse:
    return ProblemResponse(problem_of_request(request, error))


def problem_of_request(request: Request, error: HTTPException) -> Problem:
    """Return the problem for what the framework raised before or instead of a route of ours."""
    # FastAPI's word for what its JSON decoder chokes on beside syntax: bytes that are no UTF-8, depth, endless digits.
    if error.status_code == MALFORMED_JSON[0] and _is_json(request.headers.get("content-type")):
        return Problem(*MALFORMED_JSON)
    problem = framework_problem(error)
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        problem.headers["Allow"] = ", ".join(_methods_of(request))
    return problem


def _methods_of(request: Request) -> list[str]:
    """List the path's methods: each is a route of its own, and the router names only those of the first."""
    return [method for method in METHODS if _takes(request, method)]


def _takes(request: Request, method: str) -> bool:
    asked = {**request.scope, "method": method}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


async def _on_invalid_request(request: Request, error: Any) -> ProblemResponse:
    return ProblemResponse(invalid_request(error.errors(), content_type=request.headers.get("content-type")))


def invalid_request(errors: Sequence[Any], *, content_type: str | None) -> Problem:
    """Say what is wrong, field by field. Inputs are never echoed: they may be secrets, or a megabyte."""
    if any(error["type"] == "json_invalid" for error in errors):
        return Problem(*MALFORMED_JSON)
    if _is_unread_body(errors, content_type):
        return Problem(415, *KNOWN[415], headers={"Accept": "application/json"})
    listed = [_described(error) for error in errors[:MAX_ERRORS]]
    return Problem(422, "invalid-request", "The request is not valid", _summary(listed), errors=listed)


def _is_unread_body(errors: Sequence[Any], content_type: str | None) -> bool:
    """FastAPI hands a body that is not declared as JSON on as bytes, which then is no object."""
    about_body = any(tuple(error["loc"]) == ("body",) and error["type"] != "missing" for error in errors)
    return about_body and not _is_json(content_type)


def _is_json(content_type: str | None) -> bool:
    return bool(JSON_MEDIA_TYPE.fullmatch(content_type or ""))


def _described(error: Mapping[str, Any]) -> dict[str, str]:
    where, *path = [_short(str(part)) for part in error["loc"]] or ["request"]
    return {"in": where, "path": ".".join(path), "message": _short(error["msg"]), "code": error["type"]}


def _summary(listed: Sequence[Mapping[str, str]]) -> str:
    return "; ".join(f"{error['path'] or error['in']}: {error['message']}" for error in listed[:3])


def _short(text: str) -> str:
    """At most MAX_TEXT characters, and none that would disturb a terminal."""
    return "".join(character if character.isprintable() else "�" for character in text[:MAX_TEXT])
