"""What people do to a purchase: cancel, deliver, reopen."""
