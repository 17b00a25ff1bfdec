"""All pages of the notifier. Signing in and the assets are purchases': one origin has them once."""

from fastapi import FastAPI

from chassis.pages import Pages, PageSettings
from chassis.pages.elsewhere import install_elsewhere
from chassis.process.settings import ServiceSettings
from notifier.pages import parked
from notifier.pages.frame import WORDS, nav


def install_pages(app: FastAPI, settings: ServiceSettings) -> None:
    """Add the pages to `app`; no form of ours leads to anybody else."""
    pages = Pages(
        package="notifier", settings=settings, page_settings=PageSettings(pages_form_targets=()), nav=nav, words=WORDS
    )
    pages.install(app)
    install_elsewhere(app, pages, below=("/admin",))
    app.include_router(parked.router)
