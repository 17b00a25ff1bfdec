"""Buying an add-on with the saved card."""
