"""Workspaces as customers of Stripe, and their cards."""
