"""Logs: one JSON object a line, from us and from libraries, without secrets."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from chassis.process.logs import REDACTED, OneOfAKind, configure_logs, get_logger


class Lines:
    """What the process wrote. Configured inside the test: pytest swaps standard output between fixture and test."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def start(self) -> None:
        configure_logs(service="catalog", level="INFO")

    def __call__(self) -> list[Any]:
        return [json.loads(line) for line in self._captured.readouterr().out.splitlines()]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level, structured = list(root.handlers), root.level, structlog.get_config()
    yield Lines(capsys)
    root.handlers[:], root.level = handlers, level
    structlog.configure(**structured)


def test_a_line_names_its_service_and_carries_what_was_bound(lines: Lines) -> None:
    lines.start()
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        get_logger("x").info("sold", price_cents=49900)

    (line,) = lines()
    assert tuple(line[key] for key in ("event", "service", "request_id", "price_cents", "level")) == (
        "sold",
        "catalog",
        "r1",
        49900,
        "info",
    )


def test_a_librarys_line_looks_the_same(lines: Lines) -> None:
    lines.start()
    logging.getLogger("somebodys.package").warning("lost %s of %d", "one", 3)

    (line,) = lines()
    assert (line["event"], line["service"], line["logger"]) == ("lost one of 3", "catalog", "somebodys.package")


@pytest.mark.parametrize(
    "secret",
    ["sk_live_51AbC", "rk_test_x9", "whsec_abc+/=", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln", "user:hunter2"],
)
def test_a_secret_in_an_exception_is_masked(lines: Lines, secret: str) -> None:
    lines.start()
    error = ValueError(f"cannot use postgresql://{secret}@db and {secret}")

    get_logger("x").error("failed", exc_info=error)

    (line,) = lines()
    assert f"//{secret}" not in line["exception"]
    assert REDACTED in line["exception"]


def test_a_member_named_like_a_secret_is_masked_at_any_depth(lines: Lines) -> None:
    lines.start()
    get_logger("x").info("called", headers={"Authorization": "Bearer abc"}, smtp_password="hunter2")

    (line,) = lines()
    assert (line["headers"]["Authorization"], line["smtp_password"]) == (REDACTED, REDACTED)


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("hunter2")


@pytest.mark.parametrize(
    "value",
    [
        {"secrets": ["hunter2", "sk_live_51AbC"]},
        ("a", ("b", ["sk_live_51AbC"])),
        [{"headers": [("x", {"Authorization": "hunter2"})]}],
        {"tokens": ["hunter2", ["hunter2"]]},
        {"session_cookies": {"name": "hunter2"}},
        {"sk_live_51AbC": 1},
        frozenset({"sk_live_51AbC"}),
        b"postgresql://user:hunter2@db",
        [b"sk_live_51AbC"],
        ValueError("sk_live_51AbC"),
        [ValueError("sk_live_51AbC")],
        {"password": 7, "api_key": b"hunter2"},
        Unspeakable(),
    ],
)
def test_a_secret_is_masked_in_whatever_it_lies(lines: Lines, value: Any) -> None:
    """In lists and tuples, nested, under a name that says so, in bytes, in what is made text late."""
    lines.start()
    get_logger("x").info("called", value=value)

    (line,) = lines()
    assert "hunter2" not in str(line)
    assert "sk_live" not in str(line)


def test_what_holds_itself_is_written_all_the_same(lines: Lines) -> None:
    lines.start()
    endless: list[Any] = ["sk_live_51AbC"]
    endless.append(endless)
    get_logger("x").info("called", value=endless)

    (line,) = lines()
    assert "sk_live" not in str(line)


@pytest.mark.parametrize(
    "said",
    [
        "duplicate key value violates unique constraint\nDETAIL:  Key (email)=(olga@acme.test) already exists.",
        "null value in column\nDETAIL:  Failing row contains (1, olga@acme.test, null).\nHINT:  none",
        "invalid input for query argument $1: 'olga@acme.test' ('str' object cannot be interpreted as an integer)",
        'invalid input syntax for type uuid: "olga@acme.test"',
        "IntegrityError\n[SQL: insert into x values ($1)]\n[parameters: ('olga@acme.test',)]",
    ],
)
def test_the_values_that_a_database_complains_of_are_masked(lines: Lines, said: str) -> None:
    lines.start()
    get_logger("x").error("failed", exc_info=RuntimeError(said), reason=[said])

    (line,) = lines()
    assert "olga" not in str(line)
    assert said.partition("\n")[0].partition(":")[0] in line["exception"]


def test_a_line_break_in_an_input_makes_no_second_line(lines: Lines) -> None:
    lines.start()
    get_logger("x").info("seen", name='a\n{"event":"forged"}')

    assert len(lines()) == 1


def test_below_the_level_nothing_is_written(lines: Lines) -> None:
    lines.start()
    get_logger("x").debug("detail")

    assert lines() == []


def test_a_line_is_written_whatever_it_holds(lines: Lines) -> None:
    lines.start()
    get_logger("x").info("seen", half="\ud800", huge=2**70, at={1: object})

    (line,) = lines()
    assert (line["half"], line["huge"], line["at"]) == ("\ud800", 2**70, {"1": "<class 'object'>"})


def test_an_error_of_ours_names_its_module_and_what_was_raised(lines: Lines) -> None:
    lines.start()
    try:
        int("seven")
    except ValueError:
        get_logger("chassis.outbox.relay").exception("failed")

    (line,) = lines()
    assert (line["logger"], line["level"]) == ("chassis.outbox.relay", "error")
    assert line["exception"].endswith("invalid literal for int() with base 10: 'seven'")


def test_of_the_kafka_clients_lines_that_say_the_same_one_is_written_and_says_how_many_were_not() -> None:
    now = [0.0]
    lines = OneOfAKind(clock=lambda: now[0])

    def say(text: str, name: str = "aiokafka.cluster") -> str | None:
        line = logging.LogRecord(name, logging.ERROR, "", 0, text, (), None)
        return line.getMessage() if lines.filter(line) else None

    assert [say("Topic a not found") for _ in range(1000)] == ["Topic a not found", *[None] * 999]
    assert say("Topic b not found") == "Topic b not found"
    assert [say("the same", name="asyncio") for _ in range(2)] == ["the same", "the same"]

    now[0] = 31.0
    assert say("Topic a not found") == "Topic a not found (and 999 times more)"
