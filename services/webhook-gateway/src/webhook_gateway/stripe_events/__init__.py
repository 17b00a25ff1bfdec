"""Stripe's events: whose they are, and the fact and record that each becomes. Pure."""
