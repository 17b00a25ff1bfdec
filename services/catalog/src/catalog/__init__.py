"""The catalog service: what can be bought."""
