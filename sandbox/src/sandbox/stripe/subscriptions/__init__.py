"""Subscriptions (https://docs.stripe.com/billing/subscriptions/overview): begun, billed, renewed, dunned, ended."""
