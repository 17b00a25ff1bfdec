"""The API of staff."""
