"""Commands that the worker carries out at Stripe: look, pay back, close, sweep."""
