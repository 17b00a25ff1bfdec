"""What waits for staff, and what they decide about it."""
