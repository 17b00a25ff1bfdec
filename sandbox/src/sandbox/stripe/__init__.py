"""A stateful stand-in for Stripe's API over HTTP: objects, webhooks, idempotency keys, and faults on request."""
