"""SPEC §1 for the catalog's pages: every page, asked for by everyone."""

from collections.abc import Mapping
from typing import Final

from fastapi.routing import APIRoute

from tests.integration.catalog_pages.conftest import Site
from tests.integration.permissions.matrix import CALLERS, EVERYONE, OWN, STAFF, Rule
from tests.integration.permissions.pages import ask, each_page_of, word

PAGES: Final[Mapping[str, Rule]] = {
    "show_prices": EVERYONE,
    "show_addons": STAFF,
    "put_on_or_off_sale": STAFF,
    "back_to_the_list": STAFF,
    "ask_before_deleting": STAFF,
    "delete_addon": STAFF,
    "show_new_addon": STAFF,
    "make_addon": STAFF,
    "show_addon": STAFF,
    "save_addon": STAFF,
    "show_set_aside": STAFF,
    "try_all_again": STAFF,
    "show_item": STAFF,
    "try_again": STAFF,
    "discard": STAFF,
}
"""By the route's name."""


@each_page_of("catalog")
async def test_everyone_gets_what_the_table_says(site: Site, route: APIRoute) -> None:
    answers = {caller: word(await ask(site.visitor(claims), route, OWN)) for caller, claims in CALLERS.items()}

    assert answers == {caller: PAGES[route.name].expected(caller, OWN) for caller in CALLERS}
