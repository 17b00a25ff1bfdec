"""A Checkout session, from the click to its end."""
