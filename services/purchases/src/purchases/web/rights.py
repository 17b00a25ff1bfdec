"""Who may do what in a workspace: the matrix of SPEC §1, as far as roles go."""

from enum import StrEnum


class Standing(StrEnum):
    """What a caller is to one workspace, the registered owner settled."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    READER = "reader"
    STAFF = "staff"
    STRANGER = "stranger"


def standing(*, role: str | None, subject: str, owner_id: str, is_staff: bool) -> Standing:
    """Return the caller's standing. Who claims `owner` without the registered owner's `sub` has an admin's."""
    if is_staff:
        return Standing.STAFF
    if role is None:
        return Standing.STRANGER
    if role in {"owner", "admin"}:
        return Standing.OWNER if role == "owner" and subject == owner_id else Standing.ADMIN
    return Standing.EDITOR if role == "editor" else Standing.READER
