"""What documents take from the code stands in them as the code has it (`make docs` writes it)."""

from pathlib import Path

import pytest

from tests.contract.docs.generated import PARTS, names_in, renewed
from tests.contract.docs.markdown import FILES, name_of

WITH_PARTS = [path for path in FILES if names_in(path.read_text())]


@pytest.mark.parametrize("path", WITH_PARTS, ids=name_of)
def test_the_generated_parts_are_those_of_the_code(path: Path) -> None:
    assert renewed(path.read_text()) == path.read_text(), "make docs"


def test_every_part_stands_in_one_document() -> None:
    assert sorted(name for path in WITH_PARTS for name in names_in(path.read_text())) == sorted(PARTS)


def test_an_older_part_would_be_noticed() -> None:
    text = WITH_PARTS[0].read_text()

    assert renewed(text.replace("\n<!-- /make docs -->", "|\n<!-- /make docs -->")) == text
