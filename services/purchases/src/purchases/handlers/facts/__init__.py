"""The worker's batch: what Stripe and the catalog tell, applied in the order in which it was told."""
