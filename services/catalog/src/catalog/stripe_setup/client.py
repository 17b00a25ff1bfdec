"""Stripe's client for setting up an account."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import stripe
from stripe import StripeClient

TIMEOUT_SECONDS: Final = 10
MAX_NETWORK_RETRIES: Final = 2


@asynccontextmanager
async def stripe_client(*, secret_key: str, api_base: str | None) -> AsyncIterator[StripeClient]:
    """Return the async client, open for the block: timeout, retries, no telemetry; `api_base` leads to the sandbox."""
    stripe.enable_telemetry = False
    # At its debug level the library logs whole answers, and one of them holds the signing secret.
    logging.getLogger("stripe").setLevel(logging.WARNING)
    http = stripe.HTTPXClient(timeout=TIMEOUT_SECONDS)
    try:
        yield StripeClient(
            secret_key,
            http_client=http,
            max_network_retries=MAX_NETWORK_RETRIES,
            base_addresses={"api": api_base} if api_base else None,
        )
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]
