"""Logs: one JSON object a line (readable text on a terminal), also for libraries; secrets are masked on the way out."""

import logging
import re
import sys
from typing import Any, Final

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

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


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for one module; bind ids as keywords, never into the event's name."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure_logs(*, service: str, level: str = "INFO") -> None:
    """Once, in `main`. Everything that the process logs goes to standard output."""
    to_terminal = sys.stdout.isatty()
    structlog.configure(
        processors=[*_before(service), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_formatter(service, to_terminal=to_terminal))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, quiet_level in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet_level, logging.getLevelName(level)))


def _before(service: str) -> list[Processor]:
    def name_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return [
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.UnicodeDecoder(),
        name_service,
        add_trace,
    ]


def _formatter(service: str, *, to_terminal: bool) -> structlog.stdlib.ProcessorFormatter:
    # The level filter asks the logger, which a library's record no longer carries.
    foreign = [step for step in _before(service) if step is not structlog.stdlib.filter_by_level]
    # Exceptions become text before secrets are masked, on a terminal too; local variables are never printed.
    render = structlog.dev.ConsoleRenderer() if to_terminal else structlog.processors.JSONRenderer(default=str)
    last: list[Processor] = [structlog.processors.format_exc_info, mask_secrets, render]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=foreign, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    )


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
    if _SECRET_KEY.search(key) and isinstance(value, str | bytes):
        return REDACTED
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value)
    if isinstance(value, dict):
        return {str(inner): _mask(str(inner), item) for inner, item in value.items()}
    return value


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
