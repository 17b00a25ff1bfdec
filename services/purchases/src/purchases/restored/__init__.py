"""The ledger as a copy of before: what Kafka and Stripe know of it is read back, and then selling goes on."""
