"""A file is read in one sitting, and a folder is known by heart: neither grows past its bound."""

from collections import Counter
from typing import Final

from tests.contract.sources import ROOT, sources

LINES: Final = 300
MODULES: Final = 15
TABLES: Final = frozenset({"tests/fixtures/stripe_shapes.py"})
"""Files that hold one literal table, and nothing to follow."""
ROOMY: Final = {"services/catalog/src/catalog": 20}
"""A flat folder of one plain service, as large as it may be."""


def test_no_file_has_more_than_300_lines() -> None:
    files = [
        path
        for top in ("contracts", "deploy", "libs", "sandbox", "services", "tests")
        for path in (ROOT / top).rglob("*.py")
        if str(path.relative_to(ROOT)) not in TABLES
    ]

    long = {str(path.relative_to(ROOT)): count for path in files if (count := _lines(path.read_text())) > LINES}

    assert long == {}


def test_no_folder_has_more_than_15_modules() -> None:
    modules = [path for path in sources() if path.name != "__init__.py" and "migrations" not in path.parts]
    folders = Counter(str(path.parent.relative_to(ROOT)) for path in modules)

    assert {name: count for name, count in folders.items() if count > ROOMY.get(name, MODULES)} == {}


def _lines(text: str) -> int:
    return len(text.splitlines())
