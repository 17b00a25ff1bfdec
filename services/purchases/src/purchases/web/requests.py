"""What the routes have in common: Stripe's client, the settings, idempotency keys, and the pages to come back to."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Header, Request
from stripe import StripeClient

from chassis.origins import origin_of
from chassis.problems import Problem
from purchases.settings import Settings


async def client_of(request: Request) -> StripeClient:
    """Return Stripe's client, as `main` built it."""
    client: StripeClient = request.app.state.stripe
    return client


async def settings_of(request: Request) -> Settings:
    """Return the settings, as `main` read them."""
    settings: Settings = request.app.state.settings
    return settings


Stripe = Annotated[StripeClient, Depends(client_of)]
SettingsOfApp = Annotated[Settings, Depends(settings_of)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="One try: repeated, it answers with what that came to, also a failure. A new try has a new key.",
    ),
]


def own_page(settings: Settings, workspace_id: str, page: str) -> str:
    """Return the address of one of our own pages about the workspace, as `billing/addons`."""
    return f"{settings.public_base_url.rstrip('/')}/app/{quote(workspace_id, safe='')}/{page}"


def allowed_url(url: str, settings: Settings) -> str:
    """Return `url` itself. Raises Problem 422 unless it is ours or on an allowed origin: we are nobody's redirector."""
    origin = origin_of(url)
    if origin is None or origin not in {origin_of(settings.public_base_url), *settings.allowed_return_origins}:
        raise return_url_not_allowed()
    return url


def return_url_not_allowed() -> Problem:
    """Return the 422 for a foreign origin, which would make us a redirector for somebody else."""
    return Problem(422, "return-url-not-allowed", "This return URL is not on an allowed origin")
