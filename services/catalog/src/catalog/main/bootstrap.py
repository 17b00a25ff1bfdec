"""The command that sets up the Stripe account and ends."""

import sys
from pathlib import Path

import stripe

from catalog.main import NAME, read_settings
from catalog.stripe_setup.bootstrap import NoPlans, bootstrap_stripe
from catalog.stripe_setup.client import stripe_client
from catalog.stripe_setup.webhook import into_file, shown
from chassis.database.database import Database
from chassis.origins import origin_of


async def bootstrap(*, webhook_url: str | None, secret_file: Path | None) -> None:
    """Set up the Stripe account; safe to repeat. Ends the process with a message when that cannot be done."""
    settings = read_settings()
    url, key = webhook_url or settings.stripe_webhook_url, settings.stripe_secret_key.get_secret_value()
    if not key:
        sys.exit("STRIPE_SECRET_KEY is not set")
    if url and origin_of(url) is None:
        sys.exit("the webhook's address must be an absolute http(s) URL")
    keep_secret = into_file(secret_file) if secret_file else shown
    connected = stripe_client(secret_key=key, api_base=settings.stripe_api_base)
    async with Database(settings.database_url, name=NAME) as database, connected as client:
        try:
            await bootstrap_stripe(
                database=database,
                client=client,
                instance=settings.quittance_instance,
                webhook_url=url,
                keep_secret=keep_secret,
                say=print,
            )
        except (NoPlans, stripe.StripeError) as error:
            sys.exit(f"bootstrap-stripe: {error}")
