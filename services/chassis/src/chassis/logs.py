"""Logs: one JSON object a line (readable text on a terminal), also for libraries; secrets are masked on the way out."""

import json
import logging
import re
import sys
from functools import lru_cache
from typing import Any, Final

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

REDACTED: Final = "[redacted]"
_SECRET_KEY: Final = re.compile(
    r"authorization|cookie|password|passwd|secret|api_?key|token|database_url|smtp_url", re.IGNORECASE
)
_SECRET_TEXT: Final = re.compile(
    r"\b(?:sk|rk)_(?:live|test)_\w+|\bwhsec_[\w+/=]+|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_QUIET: Final = {
    "uvicorn": logging.WARNING,
    "stripe": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "aiokafka": logging.WARNING,
}


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger for one module; bind ids as keywords, never into the event's name."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def configure_logs(*, service: str, level: str = "INFO") -> None:
    """Once, in `main`. Everything that the process logs goes to standard output."""
    to_terminal = sys.stdout.isatty()
    before, last = _before(service), _last(to_terminal=to_terminal)
    # Our own lines are written as they are: by way of the standard library, as others' are, a line costs twice as much.
    structlog.configure(
        processors=[*before, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StandardOutput,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_formatter(before, last))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, quiet_level in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet_level, logging.getLevelName(level)))


class _StandardOutput(structlog.BytesLogger):
    """Where our lines go; knows the module whose they are."""

    def __init__(self, name: str) -> None:
        super().__init__(sys.stdout.buffer)
        self.name = name


def _before(service: str) -> list[Processor]:
    def name_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.UnicodeDecoder(),
        name_service,
        add_trace,
    ]


def _last(*, to_terminal: bool) -> list[Processor]:
    # Exceptions become text before secrets are masked, on a terminal too; local variables are never printed.
    before: list[Processor] = [structlog.processors.format_exc_info, mask_secrets]
    if to_terminal:
        return [*before, structlog.dev.ConsoleRenderer(), _encoded]
    return [*before, structlog.processors.JSONRenderer(serializer=_json)]


def _formatter(before: list[Processor], last: list[Processor]) -> structlog.stdlib.ProcessorFormatter:
    """For the lines of libraries."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, _decoded],
    )


def _json(event: EventDict, **_: Any) -> bytes:
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # half a character, or an integer of more than 64 bits
        return json.dumps(event, default=str).encode()


def _encoded(_: WrappedLogger, __: str, line: Any) -> bytes:
    return str(line).encode("utf-8", "backslashreplace")


def _decoded(_: WrappedLogger, __: str, line: Any) -> str:
    return str(line, "utf-8")


def add_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put the ids of the running trace beside the event, so that a log line leads to its trace."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event


def mask_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The last resort: code should not log secrets, but an exception's text may hold one."""
    return {key: _mask(key, value) for key, value in event.items()}


def _mask(key: str, value: Any) -> Any:
    if isinstance(value, str | bytes) and _names_secret(key):
        return REDACTED
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value)
    if isinstance(value, dict):
        return {str(inner): _mask(str(inner), item) for inner, item in value.items()}
    return value


@lru_cache(maxsize=256)
def _names_secret(key: str) -> bool:
    return bool(_SECRET_KEY.search(key))


# Until `configure_logs` is called, as in tests: structlog's own default prints local variables, secrets among them.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        mask_secrets,
        structlog.dev.ConsoleRenderer(colors=False),
    ]
)
