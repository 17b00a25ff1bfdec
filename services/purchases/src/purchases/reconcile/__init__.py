"""Comparing the ledger with Stripe."""
