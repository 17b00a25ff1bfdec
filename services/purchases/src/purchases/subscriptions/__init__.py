"""The plan: its subscription as Stripe has it, and what follows from that."""
