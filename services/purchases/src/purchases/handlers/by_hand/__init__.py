"""What buyers and staff do with a purchase that stands, each with actor and reason."""
