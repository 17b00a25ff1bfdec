"""What a page needs besides its function is named where it is missing: its template, its row, its router's place."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.catalog_pages.test_page_permissions import PAGES as OF_CATALOG
from tests.integration.notifier_pages.test_page_permissions import PAGES as OF_NOTIFIER
from tests.integration.permissions.matrix import Rule
from tests.integration.permissions.pages import PACKAGES, modules_of, pages_of
from tests.integration.purchases_pages.test_page_permissions import PAGES as OF_PURCHASES

ROOT: Final = Path(__file__).parents[3]
SHARED: Final = ROOT / "libs/chassis/src/chassis/pages/templates"
TABLES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "catalog": OF_CATALOG,
    "notifier": OF_NOTIFIER,
    "purchases": OF_PURCHASES,
}
NAMED: Final = re.compile(r'(?:extends|include|import|from) "([^"]+\.html)"')
each_service = pytest.mark.parametrize("service", PACKAGES)


def folder_of(service: str) -> Path:
    """Where the service's pages are."""
    package = PACKAGES[service].replace(".", "/")
    (found,) = ROOT.glob(f"services/*/src/{package}")
    return found


@each_service
def test_every_page_has_a_row_of_who_may_see_it_and_every_row_a_page(service: str) -> None:
    """The row is in `test_page_permissions.py` of the service, where everybody asks for it."""
    rows, pages = set(TABLES[service]), {route.name for route in pages_of(service)}

    assert (pages - rows, rows - pages) == (set(), set())


@each_service
def test_every_router_of_pages_is_in_the_list_of_its_service(service: str) -> None:
    """One that is not in `routes.py` is served by nobody."""
    listed = (folder_of(service) / "routes.py").read_text()
    names = [
        module.__name__.rpartition(".")[2] for module in modules_of(PACKAGES[service]) if hasattr(module, "router")
    ]

    assert [name for name in names if f"{name}.router" not in listed] == []


@each_service
def test_every_template_that_a_page_names_is_there_and_none_is_left_over(service: str) -> None:
    own = folder_of(service) / "templates"
    there = {str(path.relative_to(own)) for path in own.rglob("*.html")}
    shared = {str(path.relative_to(SHARED)) for path in SHARED.rglob("*.html")}

    named = set(names_in_python(folder_of(service))) | {
        name for path in own.rglob("*.html") for name in NAMED.findall(path.read_text())
    }

    assert (sorted(named - there - shared), sorted(there - named)) == ([], [])


def names_in_python(folder: Path) -> Iterator[str]:
    """The names of templates in the pages' code: whole texts that end like one."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            value: Any = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and value.endswith(".html"):
                yield value
