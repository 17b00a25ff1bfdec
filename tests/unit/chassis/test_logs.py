"""Logs: one JSON object a line, from us and from libraries, without secrets."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from chassis.logs import REDACTED, configure_logs, get_logger


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
        get_logger("chassis.relay").exception("failed")

    (line,) = lines()
    assert (line["logger"], line["level"]) == ("chassis.relay", "error")
    assert line["exception"].endswith("invalid literal for int() with base 10: 'seven'")
