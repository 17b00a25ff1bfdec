"""What is read is frozen, typed, and made of contracts and the standard library alone."""

import ast
import sys
from pathlib import Path
from typing import Final

import pytest

import stripe_reader
from stripe_reader.payments import Failure

SOURCE: Final = Path(stripe_reader.__path__[0])


def imported_by(file: Path) -> set[str]:
    """Return the packages that a module imports, by their first name."""
    tree = ast.walk(ast.parse(file.read_text()))
    names = [[alias.name for alias in node.names] for node in tree if isinstance(node, ast.Import)]
    tree = ast.walk(ast.parse(file.read_text()))
    return {name.partition(".")[0] for found in names for name in found} | {
        str(node.module).partition(".")[0] for node in tree if isinstance(node, ast.ImportFrom)
    }


def test_a_value_is_frozen() -> None:
    failure = Failure(needs_customer=None, failure_code="card_declined")

    with pytest.raises(AttributeError, match="frozen"):
        failure.failure_code = None  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del failure.failure_code

    assert vars(failure) == {"needs_customer": None, "failure_code": "card_declined"}


def test_two_that_say_the_same_are_equal() -> None:
    one, same = (Failure(needs_customer=None, failure_code="card_declined") for _ in range(2))

    assert (one, repr(one)) == (same, "Failure(needs_customer=None, failure_code='card_declined')")
    assert one != Failure(needs_customer=True, failure_code="card_declined")


@pytest.mark.parametrize("file", sorted(SOURCE.glob("*.py")), ids=lambda file: file.stem)
def test_the_reader_imports_contracts_and_the_standard_library_alone(file: Path) -> None:
    """No client, no clock of others, no model to validate: what a webhook waits for, and what a look reads too."""
    assert imported_by(file) - sys.stdlib_module_names <= {"contracts", "stripe_reader"}
