"""Parked mails and facts: shown to staff, tried again or ended."""
