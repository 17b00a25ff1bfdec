"""What Stripe refused, kept for staff."""
