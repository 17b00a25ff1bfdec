"""Checkout (https://docs.stripe.com/payments/checkout): a hosted page that saves a card, or sells."""
