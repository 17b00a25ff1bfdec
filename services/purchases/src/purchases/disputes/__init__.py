"""Chargebacks of purchases."""
