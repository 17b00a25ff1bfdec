"""Publishes Stripe's own list of events again, for what no webhook brought."""
