"""docs/decisions: one decision a file, with the same headings, a number of its own, and a way to what replaced it."""

from pathlib import Path

import pytest

from tests.contract.docs.decisions import FILES, HEADINGS, Decision
from tests.contract.docs.markdown import headings, name_of

each_decision = pytest.mark.parametrize("path", FILES, ids=name_of)


@each_decision
def test_a_decision_has_its_parts_and_the_number_of_its_file(path: Path) -> None:
    title, *parts = headings(path.read_text())

    assert parts == HEADINGS
    assert title.startswith(f"{int(path.name[:4])}. ")


def test_no_two_decisions_share_a_number() -> None:
    numbers = [Decision.read(path).number for path in FILES]

    assert numbers == sorted(set(numbers))


@each_decision
def test_what_replaces_a_decision_is_a_later_one(path: Path) -> None:
    later = {other.name for other in FILES if other > path}

    assert set(Decision.read(path).replaced_by) <= later
