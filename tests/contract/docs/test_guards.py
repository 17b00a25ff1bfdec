"""The table of guards: each patch applies, each named test exists, and the last run of each found one that fails."""

import ast

import pytest

from tests.contract.docs.markdown import ROOT
from tests.contract.docs.test_promises import defined_in
from tests.guards import found
from tests.guards.guards import GUARDS, Guard

FOUND = found.read()


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_can_be_taken_out_and_the_file_is_still_python(guard: Guard) -> None:
    ast.parse(guard.taken_out_of((ROOT / guard.file).read_text()))


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_tests_of_a_guard_exist(guard: Guard) -> None:
    named = [test.split("::") for test in guard.tests]

    assert named
    assert [name for path, name in named if name not in defined_in(path)] == []


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_without_a_guard_a_test_failed_when_it_was_last_taken_out(guard: Guard) -> None:
    """After a change of the table: `make guards ARGS="'name of the guard'"`, then `make docs`."""
    run, failed = FOUND[guard.name]

    assert run == found.digest_of(guard), "the last run was of another patch, or of other tests"
    assert failed
    assert set(failed) <= set(guard.tests)


def test_a_guard_that_is_not_where_the_table_says_is_named() -> None:
    with pytest.raises(LookupError, match="guard signature: 0 times"):
        GUARDS[0].taken_out_of("")


def test_no_guard_is_named_twice() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)
