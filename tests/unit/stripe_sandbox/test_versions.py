"""Which shape an API version means, and what changed between two."""

import pytest

from sandbox.stripe.render import changed
from sandbox.stripe.versions import Era, era_of, is_version


@pytest.mark.parametrize(
    ("version", "era"),
    [
        ("2020-08-27", Era.LEGACY),
        ("2025-02-24.acacia", Era.LEGACY),
        ("2025-03-31.basil", Era.BASIL),
        ("2026-10-28.endive", Era.BASIL),
    ],
)
def test_the_day_decides(version: str, era: Era) -> None:
    assert is_version(version)
    assert era_of(version) is era


@pytest.mark.parametrize("version", ["", "soon", "2025", "2025-03-31.", "2025-03-31 basil"])
def test_what_is_no_version(version: str) -> None:
    assert not is_version(version)


def test_previous_attributes_hold_only_what_changed() -> None:
    before = {"name": "a", "kept": 1, "metadata": {"x": "1", "gone": "2"}}
    after = {"name": "b", "kept": 1, "metadata": {"x": "1", "new": "3"}}

    assert changed(before=before, after=after) == {"name": "a", "metadata": {"gone": "2", "new": None}}
