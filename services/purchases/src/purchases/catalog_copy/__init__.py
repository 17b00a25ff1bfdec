"""Our copy of what the catalog sells, and its prices at Stripe."""
