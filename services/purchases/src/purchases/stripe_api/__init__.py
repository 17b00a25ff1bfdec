"""Calls to Stripe. Each is a phase of its own: no database transaction is held across one."""
