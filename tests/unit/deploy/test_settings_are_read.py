"""A setting that nobody reads is a promise to operators that nothing keeps."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from pydantic_settings import BaseSettings

from catalog.main import Settings as CatalogSettings
from notifier.main import Settings as NotifierSettings
from purchases.settings import Settings as PurchasesSettings
from webhook_gateway.settings import BackfillSettings

ROOT: Final = Path(__file__).parents[3]
SETTINGS: Final[Mapping[str, type[BaseSettings]]] = {
    "catalog": CatalogSettings,
    "notifier": NotifierSettings,
    "purchases": PurchasesSettings,
    "webhook-gateway": BackfillSettings,
}


ALL: Final = (ROOT / "libs/chassis", *(ROOT / "services" / service for service in SETTINGS))


@pytest.mark.parametrize("service", SETTINGS)
def test_every_field_of_the_settings_is_read(service: str) -> None:
    """In the service, or in chassis; a field that all services have, in one of them."""
    read = {*names_read(ROOT / "services" / service), *names_read(ROOT / "libs/chassis")}
    shared = {name for folder in ALL for name in names_read(folder)}
    classes = [
        kind for kind in SETTINGS[service].__mro__ if issubclass(kind, BaseSettings) and kind is not BaseSettings
    ]

    fields = [(name, kind.__module__.startswith("chassis")) for kind in classes for name in kind.__annotations__]

    assert [name for name, is_shared in fields if name not in (shared if is_shared else read)] == []


def names_read(folder: Path) -> Iterator[str]:
    """The attributes that are read of something that is called settings, or of itself where settings are defined."""
    for path in (folder / "src").rglob("*.py"):
        tree = ast.parse(path.read_text())
        itself = {"self"} if any(isinstance(node, ast.ClassDef) and is_settings(node) for node in tree.body) else set()
        for node in ast.walk(tree):
            owner = ast.unparse(node.value).rpartition(".")[2] if isinstance(node, ast.Attribute) else ""
            if isinstance(node, ast.Attribute) and (owner.endswith("settings") or owner in itself):
                yield node.attr


def is_settings(node: ast.ClassDef) -> bool:
    return node.name.endswith("Settings")
