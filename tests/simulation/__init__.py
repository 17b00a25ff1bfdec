"""Seeded simulation: the ledger's real code, one step at a time, in an order and with faults that a number decides."""
