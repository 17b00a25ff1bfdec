"""All pages of the catalog. Signing in and the assets are purchases': one origin has them once."""

from fastapi import FastAPI

from catalog.pages import addon_edit, addons, pricing
from catalog.pages.frame import nav
from catalog.pages.words import WORDS
from chassis.pages import Pages, PageSettings, page_router
from chassis.pages.routes import nothing_else_below
from chassis.settings import ServiceSettings


def install_pages(app: FastAPI, settings: ServiceSettings) -> None:
    """Beside the API: they share its database, its lists and its callers. No form of ours leads to anybody else."""
    pages = Pages(package="catalog", settings=settings, told=PageSettings(pages_form_targets=()), nav=nav, words=WORDS)
    pages.install(app)
    nothing_else = page_router()
    nothing_else_below(nothing_else, "/admin/addons")
    for router in (pricing.router, addons.router, addon_edit.router, nothing_else):
        app.include_router(router)
