"""All pages of purchases, and those of signing in: one origin has one session."""

from typing import Final

from fastapi import APIRouter, FastAPI

from chassis.pages import Pages, assets
from chassis.pages.elsewhere import install_elsewhere
from chassis.pages.session_routes import session_router
from chassis.pages.sign_in import SignIn
from purchases.settings import Settings
from purchases.web.pages import landing
from purchases.web.pages.billing import billing
from purchases.web.pages.frame import HOME, nav, ways_on
from purchases.web.pages.services import cancelling, services
from purchases.web.pages.staff import (
    moves_admin,
    parked_admin,
    parked_decisions,
    purchases_admin,
    refund_admin,
    refusals_admin,
)
from purchases.web.pages.staff.staff_words import STAFF_WORDS
from purchases.web.pages.words import WORDS

ROUTERS: Final[tuple[APIRouter, ...]] = (
    landing.router,
    services.router,
    cancelling.router,
    billing.router,
    purchases_admin.router,
    refund_admin.router,
    moves_admin.router,
    parked_admin.router,
    parked_decisions.router,
    refusals_admin.router,
)


def install_pages(app: FastAPI, settings: Settings) -> None:
    """Install the pages beside the API: they share its database, its client of Stripe and its callers."""
    words = {**STAFF_WORDS, **WORDS}
    pages = Pages(
        package="purchases.web", settings=settings, page_settings=settings, nav=nav, words=words, ways_on=ways_on
    )
    pages.install(app)
    app.include_router(assets.router)
    app.include_router(session_router(SignIn(settings, pages) if settings.oidc_issuer_url else None, home=HOME))
    for router in ROUTERS:
        app.include_router(router)
    install_elsewhere(app, pages, below=("/app", "/admin", "/session", "/settings"))
