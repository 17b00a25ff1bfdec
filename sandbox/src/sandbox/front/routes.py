"""Which service shows which pages."""

from collections.abc import Mapping
from typing import Final

HOME: Final = "/pricing"
"""Where `/` leads."""
NOWHERE: Final = "/session/nowhere"
"""No page: asked for in the place of what nobody has, so that this is said in the pages' own look."""

# fmt: off
ROUTES: Final[Mapping[str, str]] = {
    # path, and all below it   service; the first that fits
    "/pricing":                "catalog",
    "/admin/addons":           "catalog",
    "/admin/parked-mails":     "notifier",
    "/admin":                  "purchases-api",
    "/app":                    "purchases-api",
    "/settings/billing":       "purchases-api",
    "/session":                "purchases-api",
    "/assets":                 "purchases-api",
}
# fmt: on


def service_for(path: str) -> str | None:
    """None where nobody has such a page."""
    return next((name for prefix, name in ROUTES.items() if path == prefix or path.startswith(f"{prefix}/")), None)
