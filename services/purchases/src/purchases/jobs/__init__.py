"""The outbox towards Stripe: calls that are made after a commit."""
