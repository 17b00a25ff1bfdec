"""Two services make the pages of one origin: whoever goes from one to the other sees the same entries."""

from typing import Any, Final

import pytest
from fastapi import Request

import catalog.pages.frame
import purchases.pages.frame
from chassis.auth import Caller, Role

PEOPLE: Final = [
    None,
    Caller(subject="mira", platform_role="super_admin", workspaces={"ws-1": Role.OWNER}),
    Caller(subject="nina"),
    *(Caller(subject=role, workspaces={"ws-1": role, "ws-2": Role.OWNER}) for role in Role),
    Caller(subject="olga", workspaces={"ws/1?": Role.OWNER}),
]


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.subject if person else "nobody")
def test_both_services_show_somebody_the_same_entries(person: Caller | None) -> None:
    scope: dict[str, Any] = {"type": "http", "path_params": {}}

    here, there = (frame.nav(Request(scope), person) for frame in (catalog.pages.frame, purchases.pages.frame))

    assert here == there
