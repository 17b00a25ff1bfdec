"""Three services make the pages of one origin: whoever goes from one to the other sees the same entries."""

from typing import Final
from urllib.parse import urlencode

import pytest
from fastapi import Request

import catalog.pages.frame
import notifier.pages.frame
import purchases.web.pages.frame
from chassis.web.auth import Caller, Role

PEOPLE: Final = [
    None,
    Caller(subject="mira", platform_role="super_admin", workspaces={"ws-1": Role.OWNER}),
    Caller(subject="nina"),
    *(Caller(subject=role, workspaces={"ws-1": role, "ws-2": Role.OWNER}) for role in Role),
    Caller(subject="olga", workspaces={"ws/1?": Role.OWNER}),
    Caller(subject="viktor", workspaces={"ws-1": Role.VIEWER, "ws/2?": Role.ADMIN, "ws-3": Role.OWNER}),
]


def at_catalog(workspace: str | None) -> Request:
    query = urlencode({"workspace": workspace}) if workspace else ""
    return Request({"type": "http", "query_string": query.encode(), "path_params": {}})


def at_purchases(workspace: str | None) -> Request:
    return Request({"type": "http", "query_string": b"", "path_params": {"ws": workspace} if workspace else {}})


@pytest.mark.parametrize("workspace", [None, "ws-1", "ws/2?", "ws-of-nobody", "<b>"])
@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.subject if person else "nobody")
def test_both_services_show_somebody_the_same_entries(person: Caller | None, workspace: str | None) -> None:
    here = catalog.pages.frame.nav(at_catalog(workspace), person)
    there = purchases.web.pages.frame.nav(at_purchases(workspace), person)

    assert here == there
    assert [entry.label for entry in here if entry.leads_to("/pricing")] == ["Prices"]


@pytest.mark.parametrize("person", [one for one in PEOPLE if one and one.is_staff], ids=lambda person: person.subject)
def test_so_does_the_notifier_whose_pages_are_staffs_alone(person: Caller) -> None:
    assert notifier.pages.frame.nav(at_catalog(None), person) == catalog.pages.frame.nav(at_catalog(None), person)
