"""How often a workspace and a person may call Stripe."""
