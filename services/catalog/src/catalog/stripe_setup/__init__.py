"""What `bootstrap-stripe` makes at Stripe: the plans' products and prices, and the webhook endpoint."""
