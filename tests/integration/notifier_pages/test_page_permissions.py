"""SPEC §1 for the notifier's pages: every page, asked for by everyone."""

from collections.abc import Mapping
from typing import Final

from fastapi.routing import APIRoute

from tests.integration.notifier_pages.conftest import Site
from tests.integration.permissions.matrix import CALLERS, OWN, STAFF, Rule
from tests.integration.permissions.pages import ask, each_page_of, word

PAGES: Final[Mapping[str, Rule]] = {
    "show_parked_mails": STAFF,
    "try_all_again": STAFF,
    "show_parked_mail": STAFF,
    "try_again": STAFF,
    "discard": STAFF,
    "back_to_the_item": STAFF,
}
"""By the route's name."""


@each_page_of("notifier")
async def test_everyone_gets_what_the_table_says(site: Site, route: APIRoute) -> None:
    answers = {caller: word(await ask(site.visitor(claims), route, OWN)) for caller, claims in CALLERS.items()}

    assert answers == {caller: PAGES[route.name].expected(caller, OWN) for caller in CALLERS}
