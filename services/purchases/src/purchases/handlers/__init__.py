"""What the service does: verbs, keyword-only, their dependencies as parameters."""
