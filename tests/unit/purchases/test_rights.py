"""The matrix of SPEC §1, as far as roles go."""

import pytest

from purchases.web.rights import Standing, standing


@pytest.mark.parametrize(
    ("role", "subject", "is_staff", "expected"),
    [
        ("owner", "olga", False, Standing.OWNER),
        ("owner", "mallory", False, Standing.ADMIN),
        ("admin", "anna", False, Standing.ADMIN),
        ("admin", "olga", False, Standing.ADMIN),
        ("editor", "erik", False, Standing.EDITOR),
        ("viewer", "vera", False, Standing.READER),
        ("viewer", "olga", False, Standing.READER),
        ("something new", "olga", False, Standing.READER),
        (None, "olga", False, Standing.STRANGER),
        (None, "mira", True, Standing.STAFF),
        ("owner", "olga", True, Standing.STAFF),
    ],
)
def test_a_callers_standing(role: str | None, subject: str, is_staff: bool, expected: Standing) -> None:
    assert expected is standing(role=role, subject=subject, owner_id="olga", is_staff=is_staff)


def test_nobody_owns_a_workspace_that_does_not_exist() -> None:
    assert Standing.ADMIN is standing(role="owner", subject="olga", owner_id="", is_staff=False)
