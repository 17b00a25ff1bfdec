"""Purchases owns the ledger: who bought what, what Stripe says of the money, what may happen next."""
