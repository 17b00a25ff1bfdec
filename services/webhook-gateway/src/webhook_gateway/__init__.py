"""Verifies Stripe's webhooks and publishes them as normalised facts: verify, normalise, acks=all, 200."""
