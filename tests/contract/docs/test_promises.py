"""PROMISES.md: each promise is a section that names tests that exist, or says that none keeps it yet."""

import ast
import re
from functools import cache
from typing import Final

import pytest

from tests.contract.docs.markdown import ROOT

PROMISES: Final = ROOT / "PROMISES.md"
STATES: Final = {"kept", "in part", "not yet"}
NUMBERS: Final = [f"P{number}" for number in range(1, 15)]
SECTIONS: Final = re.findall(
    r"^## (P\d+)\n\n(.+)\n\nState: (.+)\.\n\n((?:(?!## ).*\n)*)", PROMISES.read_text(), re.MULTILINE
)
STATE_OF: Final = {number: state for number, _, state, _ in SECTIONS}
KEPT_BY: Final = {number: evidence for number, _, _, evidence in SECTIONS}


def evidence_of(promise: str) -> list[str]:
    return re.findall(r"^- `(tests/[\w/]+\.py::\w+)`$", KEPT_BY[promise], re.MULTILINE)


@cache
def defined_in(path: str) -> frozenset[str]:
    """The names of the tests in a file, without importing it."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def test_every_promise_is_listed_once_in_order() -> None:
    assert [number for number, *_ in SECTIONS] == NUMBERS
    assert sum(map(len, map(evidence_of, NUMBERS))) == PROMISES.read_text().count(".py::"), "one test a line"


@pytest.mark.parametrize("promise", NUMBERS)
def test_a_promise_says_whether_it_is_kept(promise: str) -> None:
    state = STATE_OF[promise]

    assert state in STATES
    assert bool(evidence_of(promise)) == (state != "not yet")


@pytest.mark.parametrize("promise", NUMBERS)
def test_the_tests_that_keep_it_exist(promise: str) -> None:
    named = [test.split("::") for test in evidence_of(promise)]

    assert [name for path, name in named if not (ROOT / path).exists() or name not in defined_in(path)] == []


@pytest.mark.parametrize("promise", NUMBERS)
def test_a_promise_that_is_not_wholly_kept_says_what_is_missing(promise: str) -> None:
    assert (STATE_OF[promise] == "kept") == ("Missing: " not in KEPT_BY[promise])
