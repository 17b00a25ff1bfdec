"""Which licences may be in an image of the product."""

import pytest

from tests.contract.docs.licences import PRODUCT, allowed, installed_in, licence_of

EXCEPTIONS = {"text-unidecode"}
"""SECURITY.md says why each is there."""


@pytest.mark.parametrize("name", installed_in(PRODUCT))
def test_an_image_of_the_product_holds_no_licence_that_is_not_allowed(name: str) -> None:
    assert allowed(licence_of(name)) is (name not in EXCEPTIONS), licence_of(name)


@pytest.mark.parametrize(
    ("expression", "is_allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MPL-2.0 AND (GPL-3.0-only OR AGPL-3.0-only)", False),
        ("(GPL-3.0-only OR MIT) AND (AGPL-3.0-only OR Apache-2.0)", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
    ],
)
def test_of_a_choice_one_has_to_be_allowed_and_of_a_sum_each(expression: str, is_allowed: bool) -> None:
    assert allowed(expression) is is_allowed
