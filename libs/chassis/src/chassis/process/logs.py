"""Logs: one JSON object a line (readable text on a terminal), also for libraries; secrets are masked on the way out."""

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from chassis.tracing import spans

REDACTED: Final = "[redacted]"
_SECRET_KEY: Final = re.compile(
    r"authorization|cookie|password|passwd|secret|api_?key|token|database_url|smtp_url", re.IGNORECASE
)
_SECRET_TEXT: Final = re.compile(
    r"\b(?:sk|rk)_(?:live|test)_\w+|\bwhsec_[\w+/=]+|\b[a-z]{2,8}_\w+_secret_\w+|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|(?<=Bearer )[\w.~+/=-]{8,}"
)
_MAIL_ADDRESS: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_CARD_NUMBER: Final = re.compile(r"(?<![\w.-])(?:3[47]|4\d|5[1-5]|6[05]|2[2-7])\d{2}(?:[ -]?\d{3,6}){3,4}(?![\w.-])")
"""By the first digits of the brands, and by Luhn's sum: other long numbers are ids and times."""
_ROW_VALUES: Final = re.compile(
    r"(DETAIL:  |invalid input for query argument \$\d+: |invalid input syntax for type [\w ]+: "
    r"|invalid input value for enum \w+: |date/time field value out of range: |\[parameters: )[^\n]*"
)
"""Where PostgreSQL, asyncpg and SQLAlchemy quote the row or the argument that they complain of: to the line's end."""
DEEPEST: Final = 12
"""What is nested deeper is not written: a structure may hold itself."""
_PLAIN: Final = (int, float, date, UUID, Enum, type(None))
"""Types that hold no secret as text."""
_QUIET: Final = {
    "uvicorn": logging.WARNING,
    "stripe": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "aiokafka": logging.WARNING,
}


_SAME_LINE_SECONDS: Final = 30.0
_MOST_LINES: Final = 1000


class OneOfAKind(logging.Filter):
    """Lets through one line of aiokafka in _SAME_LINE_SECONDS that says the same: it has no pause between tries."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written; it says how many like it were not."""
        if not record.name.startswith("aiokafka"):
            return True
        line, now = (record.name, record.levelno, record.getMessage()), self._clock()
        said_at, kept_back = self._last.get(line, (-_SAME_LINE_SECONDS, 0))
        if now - said_at < _SAME_LINE_SECONDS:
            self._last[line] = (said_at, kept_back + 1)
            return False
        if len(self._last) >= _MOST_LINES:
            self._last.clear()
        self._last[line] = (now, 0)
        if kept_back:
            record.msg, record.args = f"{line[2]} (and {kept_back} times more)", ()
        return True


def get_logger(name: str) -> FilteringBoundLogger:
    """Return a logger for one module; bind ids as keywords, never into the event's name."""
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
    handler.addFilter(OneOfAKind())
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
    event.update(spans.ids())
    return event


def mask_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask what a line must not hold, however deep: the last resort, since an exception's text may hold a secret."""
    return {key: _masked(value, is_secret=_names_secret(key)) for key, value in event.items()}


def without_values(text: str) -> str:
    """Return a database's complaint without the values that it quotes: they are people's."""
    return _ROW_VALUES.sub(rf"\1{REDACTED}", text)


def _masked(value: Any, *, is_secret: bool, depth: int = 0) -> Any:
    """Without secrets; what is in something that is named like one is one, too."""
    if isinstance(value, _PLAIN):
        return value
    if depth > DEEPEST:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {
            without_secrets(str(name)): _masked(item, is_secret=is_secret or _names_secret(str(name)), depth=depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | Set):
        return [_masked(item, is_secret=is_secret, depth=depth + 1) for item in value]
    if is_secret:
        return REDACTED
    return without_secrets(_as_text(value))


def _as_text(value: Any) -> str:
    """Return `value` as text; what is logged may be what is at fault."""
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    try:
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__}: {type(error).__name__}>"


def without_secrets(text: str) -> str:
    """Return `text` without keys, tokens, addresses, cards, and without the values that a database quotes."""
    cleaned = without_values(_SECRET_TEXT.sub(REDACTED, text))
    if "@" in cleaned:
        cleaned = _MAIL_ADDRESS.sub(REDACTED, cleaned)
    return _CARD_NUMBER.sub(_without_card, cleaned)


def _without_card(found: "re.Match[str]") -> str:
    digits = [int(sign) for sign in found[0] if sign.isdecimal()]
    return REDACTED if 13 <= len(digits) <= 19 and is_card_number(digits) else found[0]


def is_card_number(digits: Sequence[int]) -> bool:
    """Return whether the last digit fits the others. Source: ISO/IEC 7812-1, annex B."""
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


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
