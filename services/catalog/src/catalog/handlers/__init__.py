"""What can be done to the catalog, and what a price made at Stripe does to it; each change is published."""
