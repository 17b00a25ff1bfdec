"""What Stripe says of invoices of purchases."""
