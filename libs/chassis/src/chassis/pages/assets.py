"""The stylesheet and the scripts: read once, named by what they hold, so that a browser may keep them for a year."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

FOLDER: Final = Path(__file__).parent / "assets"
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "pages.css": "text/css; charset=utf-8",
    "pages.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
KEPT: Final = "public, max-age=31536000, immutable"
OF_ANOTHER_RELEASE: Final = "no-cache"


@cache
def contents() -> Mapping[str, bytes]:
    """By name."""
    return {name: (FOLDER / name).read_bytes() for name in MEDIA_TYPES}


@cache
def release() -> str:
    """Return a digest that changes with any asset."""
    return hashlib.sha256(b"".join(contents().values())).hexdigest()[:12]


def asset_url(name: str) -> str:
    """Return the asset's address. Raises KeyError for a name that there is not."""
    contents()[name]
    return f"/assets/{release()}/{name}"


router = APIRouter(include_in_schema=False)


@router.api_route("/assets/{of_release}/{name}", methods=["GET", "HEAD"])
async def asset(of_release: str, name: str) -> Response:
    """While a new release rolls out, a page of the other one gets what there is, and nobody keeps it."""
    if name not in MEDIA_TYPES:
        raise HTTPException(404)
    headers = {
        "Cache-Control": KEPT if of_release == release() else OF_ANOTHER_RELEASE,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(contents()[name], media_type=MEDIA_TYPES[name], headers=headers)
