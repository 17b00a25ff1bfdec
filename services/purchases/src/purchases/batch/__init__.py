"""What the facts of one batch share."""
