"""Reads Stripe's objects, the same for a webhook's event and for what is fetched, in every API version. Pure."""
