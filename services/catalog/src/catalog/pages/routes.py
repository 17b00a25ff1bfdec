"""All pages of the catalog. Signing in and the assets are purchases': one origin has them once."""

from fastapi import FastAPI

from catalog.pages import addon_edit, addons, pricing, set_aside
from catalog.pages.frame import WORDS, nav
from chassis.pages import Pages, PageSettings
from chassis.pages.elsewhere import install_elsewhere
from chassis.process.settings import ServiceSettings


def install_pages(app: FastAPI, settings: ServiceSettings) -> None:
    """Add the pages beside the API, with its database, lists and callers. No form of ours leads to anybody else."""
    pages = Pages(
        package="catalog", settings=settings, page_settings=PageSettings(pages_form_targets=()), nav=nav, words=WORDS
    )
    pages.install(app)
    install_elsewhere(app, pages, below=("/pricing", "/admin"))
    for router in (pricing.router, set_aside.router, addons.router, addon_edit.router):
        app.include_router(router)
