"""A workspace and its Stripe customer: registered, kept alive, with a card that is saved."""
