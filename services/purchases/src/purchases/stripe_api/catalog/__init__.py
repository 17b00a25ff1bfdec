"""What sells, at Stripe: prices, plans and the portal."""
