"""Who one may be: the roles that the product knows, each with somebody who has it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

WORKSPACE: Final = "acme"
"""Where people are at home who name no other workspace."""
_WORKSPACE_ID: Final = re.compile(r"[\w.:-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One row of the sign-in page. Without a role here: a member of no workspace."""

    key: str
    sub: str
    says: str
    workspace_role: str | None = None
    platform_role: str | None = None

    @property
    def email(self) -> str:
        return f"{self.sub}@acme.test"


# fmt: off
PEOPLE: Final = {person.key: person for person in (
    Person(key="owner",       sub="olivia", says="Owner: buys, and has the plan", workspace_role="owner"),
    Person(key="admin",       sub="adam",   says="Admin: buys",                   workspace_role="admin"),
    Person(key="editor",      sub="edith",  says="Editor: buys nothing",       workspace_role="editor"),
    Person(key="viewer",      sub="victor", says="Viewer: only looks",            workspace_role="viewer"),
    Person(key="stranger",    sub="stan",   says="Stranger: a member of no workspace"),
    Person(key="super_admin", sub="sally",  says="Staff: super_admin of the platform", platform_role="super_admin"),
)}
# fmt: on


class NobodyChosen(ValueError):  # noqa: N818 - named for what it says
    """The form says nobody whom we could sign in; the message is for its reader."""


def chosen(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the claims of the person that the form names. Raises NobodyChosen."""
    person = PEOPLE.get(form.get("person", ""))
    if person is None:
        raise NobodyChosen("Choose one of the people.")
    workspace = form.get("workspace", "").strip() or WORKSPACE
    if not _WORKSPACE_ID.fullmatch(workspace):
        raise NobodyChosen("A workspace is named by letters, digits and . : _ - (at most 100).")
    claims: dict[str, Any] = {
        "sub": form.get("sub", "").strip() or person.sub,
        "email": form.get("email", "").strip() or person.email,
        "workspaces": {workspace: person.workspace_role} if person.workspace_role else {},
    }
    return claims | ({"platform_role": person.platform_role} if person.platform_role else {})
