"""A service's FastAPI app, with everything that all of them have: problems, limits, CORS, request ids, metrics."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final
from uuid import uuid4

import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.kafka.ended_sessions import EndedSessions
from chassis.origins import origin_of
from chassis.problems import MEDIA_TYPE, METHODS, SCHEMA
from chassis.process import metrics
from chassis.process.logs import get_logger
from chassis.process.settings import ServiceSettings
from chassis.tracing import spans
from chassis.web import cookies
from chassis.web.auth import TokenVerifier
from chassis.web.docs_page import DOCUMENT, install_docs
from chassis.web.limits import MAX_BODY, BodyLimits, SaneTargets
from chassis.web.problem_handlers import install_problems
from chassis.web.refused import log_refused
from chassis.web.server import HttpServer

__all__ = ["Body", "HttpServer", "Text", "storable", "web_app"]

log = get_logger(__name__)

REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-ID",
)
EXPOSED_HEADERS: Final = ("ETag", "Location", "Retry-After", "X-Request-ID")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_OPENAPI_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": "A problem (RFC 9457)", "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
    for status in ("4XX", "5XX")
}


def storable(text: str) -> str:
    """Return `text` itself. Raises PydanticCustomError for NUL, and for lone surrogates, which JSON can spell."""
    if _UNSTORABLE.search(text):
        raise PydanticCustomError("unstorable_text", "Text cannot hold NUL or half a character")
    return text


Text = Annotated[str, AfterValidator(storable)]
"""A string that PostgreSQL can keep, for headers and parameters; a `Body` looks after its own.

With a length, write `Annotated[str, Field(max_length=20), AfterValidator(storable)]`: the message is better.
"""


class Body(BaseModel):
    """A request's body. Unknown members are refused, so that a misspelt one is not silently ignored, and so is text
    that PostgreSQL cannot keep, wherever it stands.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: Any) -> Any:
        for text in _texts(data):
            storable(text)
        return data


def _texts(data: Any) -> Iterator[str]:
    """Return every text and name in a JSON document, without recursion: its depth is the sender's choice."""
    pending = [data]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            pending.extend((*part.keys(), *part.values()))
        elif isinstance(part, list):
            pending.extend(part)


def web_app(
    title: str,
    settings: ServiceSettings,
    verifier: TokenVerifier | None = None,
    *,
    passes: Callable[[Exception], bool] = lambda _: False,
    ended: EndedSessions | None = None,
) -> FastAPI:
    """Build the app to add routers to. Without a verifier no route may use `current_caller`.

    `ended` is where signing out is published; without it a session ends in the browser and at the issuer only.
    `passes` names the errors that go away by themselves, such as an absent database: 503 and not 500.
    """
    app = FastAPI(
        title=title,
        redirect_slashes=False,  # the redirect would be made of the request's own Host header
        openapi_url=DOCUMENT if settings.docs_served else None,
        docs_url=None,
        redoc_url=None,
        responses=_OPENAPI_ERRORS,
        generate_unique_id_function=_operation_id,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "auto_configure": False,
        },  # ours is chassis.tracing
    )
    if settings.docs_served:
        install_docs(app)
    app.state.verifier = verifier
    app.state.ended_sessions = ended
    app.state.session_max_seconds = settings.session_max_seconds
    app.state.session_cookie = cookies.named(cookies.SESSION, secure=settings.protected)
    app.state.public_origin = origin_of(settings.public_base_url)
    app.state.passes = passes
    _add_middleware(app, settings, passes)
    spans.instrument(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _add_middleware(app: FastAPI, settings: ServiceSettings, passes: Callable[[Exception], bool]) -> None:
    """Starlette wraps: what is added last sees a request first."""
    app.add_middleware(SaneTargets)
    app.add_middleware(BodyLimits, max_bytes=MAX_BODY)
    install_problems(app, passes=passes)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_return_origins,
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=EXPOSED_HEADERS,
    )
    app.add_middleware(Observed)


class Observed:
    """Gives each request an id, binds it to the logs, and measures it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, status, started = _request_id(scope), 500, time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, observed)
            finally:
                _record(scope, status, time.perf_counter() - started)


def _record(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in {*METHODS, "OPTIONS"} else "other"
    route = _template(scope)
    metrics.HTTP_REQUESTS.labels(method, route, str(status)).observe(seconds)
    log.info("request", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 1))
    log_refused(scope, status=status, method=method, route=route)


def _template(scope: Scope) -> str:
    """Return the route's template: a path holds ids, of which there is no end."""
    return getattr(scope.get("route"), "path_format", None) or "unmatched"


def _request_id(scope: Scope) -> str:
    sent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
    return sent if _REQUEST_ID.fullmatch(sent) else uuid4().hex
