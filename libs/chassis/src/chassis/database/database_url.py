"""A database's URL for those who use it: SQLAlchemy's asyncpg dialect, and asyncpg alone."""

from sqlalchemy.engine import URL, make_url


def driver_url(url: str) -> URL:
    """Return `postgresql://…` as SQLAlchemy's asyncpg dialect wants it."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def plain_url(url: str) -> str:
    """Return `postgresql://…` as asyncpg wants it, whichever driver `url` names."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
