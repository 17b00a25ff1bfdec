"""What a service does when its database is a copy of before: it lacks facts that it published itself."""
