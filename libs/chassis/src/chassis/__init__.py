"""What every service shares and does not run; it holds no business word."""
