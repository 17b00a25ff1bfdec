"""Kafka: the client, its records and what a process knows of its consumers."""
