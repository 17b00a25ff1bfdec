"""A process: its settings, start, health, logs, metrics and end."""
