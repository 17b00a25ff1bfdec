"""Checkouts that sell the plan, alone or with add-ons."""
