"""The rules, pure: no clock, no I/O, no pydantic, no SQLAlchemy."""
