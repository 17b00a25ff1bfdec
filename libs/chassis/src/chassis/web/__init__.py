"""HTTP: what every service's answers, callers and errors have in common."""
