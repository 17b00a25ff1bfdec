"""Reads, at the end of every run, each log that a process of the product wrote: what must not be in it fails the run.

A plugin of pytest, in the process that leads the run; the workers' logs lie below its directory.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest

OF_OURS: Final = re.compile(r'^\{.*"service":"|^\[(?:debug|info|warning|error|critical) *\]')
"""A line of our own processes, or of our code inside of a test. Kafka's, PostgreSQL's and the sandbox's print what they
like."""
MOST_SHOWN: Final = 40
STRIPES: Final = (
    "event|charge|customer|invoice|payment_intent|payment_method|refund|setup_intent|subscription|checkout.session"
)
RULES: Final[Mapping[str, re.Pattern[str]]] = {
    "a key": re.compile(r"\b[sr]k_(?:live|test)_\w{4}"),
    "a signing secret": re.compile(r"\bwhsec_[\w+/=]{4}"),
    "a client secret": re.compile(r"\b[a-z]{2,8}_\w+_secret_\w{4}|client_secret\W{1,6}(?!redacted)\w{8}"),
    "a token": re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.|Bearer [\w.~+/=-]{8}"),
    "a password": re.compile(r"://[^/\s:@\"]+:[^/\s@\"]+@"),
    "card data": re.compile(r"(?:cvc|cvv|card\[number\])\\*[\"']?\s*[:=]\s*\\*[\"']?\d"),
    "a mail address": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}\b"),
    "a postal address": re.compile(r"(?:line1|line2|postal_code)\\*[\"']\s*:\s*\\*[\"'][^\"'\\]"),
    "a body": re.compile(rf"\\*[\"']object\\*[\"']\s*:\s*\\*[\"'](?:{STRIPES})\b"),
}
DIGITS: Final = re.compile(r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d{2,6}){2,5}(?![\w.-])")


class Leak(NamedTuple):
    """A line that holds what it must not."""

    log: Path | str
    """The file, or the test that printed it."""
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.log}:{self.line}: {self.rule}"


def leaks_in(log: Path) -> Iterator[Leak]:
    """Find what lines of our processes hold that no log may."""
    with log.open(errors="replace") as lines:
        yield from _leaks(log, lines)


def _leaks(log: Path | str, lines: Iterable[str]) -> Iterator[Leak]:
    for number, line in enumerate(lines, start=1):
        if OF_OURS.match(line):
            yield from (Leak(log, number, rule) for rule in broken_by(line))


def broken_by(line: str) -> Iterable[str]:
    """Return the rules that a line breaks."""
    broken = [name for name, pattern in RULES.items() if pattern.search(line)]
    if any(_is_card(found[0]) for found in DIGITS.finditer(line)):
        broken.append("a card's number")
    return broken


def _is_card(text: str) -> bool:
    """By Luhn's sum, and by the lengths that the brands' first digits have; written apart from what masks them."""
    digits = re.sub(r"\D", "", text)
    fits = re.fullmatch(r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}", digits)
    if not fits:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def logs_below(directory: Path) -> list[Path]:
    """Return the logs of processes; Kafka calls its segments so, too."""
    return sorted(path for path in directory.rglob("*.log") if not path.stem.isdecimal() and path.is_file())


class LogScan:
    """Of one run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.leaks: list[Leak] = []
        self.read = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.capstdout and report.when == "teardown":  # by then it holds what the phases before printed
            self.leaks += _leaks(report.nodeid, report.capstdout.splitlines())

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        directory = getattr(self._config, "_tmp_path_factory").getbasetemp()  # noqa: B009 - pytest has no public name
        logs = logs_below(directory)
        self.read = len(logs)
        self.leaks += [leak for log in logs for leak in leaks_in(log)]
        if self.leaks and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.leaks:
            terminalreporter.section(f"{len(self.leaks)} lines of {self.read} logs hold what no log may", red=True)
            for leak in self.leaks[:MOST_SHOWN]:
                terminalreporter.write_line(str(leak))


def pytest_configure(config: pytest.Config) -> None:
    """Scan once, in the process that leads the run."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(LogScan(config), "log-scan")
