"""What people see when there is nobody who could make a page. It says what happened to what they sent."""

from string import Template
from typing import Final

import httpx
from starlette.responses import HTMLResponse, Response

STYLE_PATH: Final = "/out-of-reach.css"
"""Ours, since those who have the pages' own are out of reach."""
STYLE: Final = """:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
body{margin:0;color:#1b1f27;background:#f6f7f9}a{color:#1d4ed8}
main{max-width:34rem;margin:15vh auto;padding:0 1rem}h1{font-size:1.5rem;line-height:1.2}
@media(prefers-color-scheme:dark){body{color:#e8eaf0;background:#12151b}a{color:#8fb0ff}}
"""
_FRAME: Final = Template(
    f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="stylesheet" href="{STYLE_PATH}">
</head>
<body>
<main>
<h1>$title</h1>
<p>$happened</p>
<p>$next</p>
</main>
</body>
</html>
"""
)
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_NEVER_ARRIVED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
TITLE: Final = "This page cannot be reached just now"
WHETHER_PAID: Final = (
    "Whether a payment that you have just made went through is shown on your Services page as soon as it can be "
    "reached again."
)
NEVER_TWICE: Final = "The same form sent again is never charged twice."
"""The services hold to this: each form that buys has a key, and a workspace buys a service, and the plan, once."""


def out_of_reach(method: str, error: httpx.TransportError) -> Response:
    """502, or 504 where it took too long; honest about whether what was sent may have been done."""
    if method in _READS:
        happened = f"Opening a page changes nothing. {WHETHER_PAID}"
    elif isinstance(error, _NEVER_ARRIVED):
        happened = "What you sent did not arrive: nothing was changed and nothing was charged."
    else:
        happened = f"What you sent may have arrived. {WHETHER_PAID} {NEVER_TWICE}"
    status = 504 if isinstance(error, httpx.TimeoutException) else 502
    page = _FRAME.substitute(title=TITLE, happened=happened, next="Please try again in a minute.")
    return HTMLResponse(page, status_code=status, headers=_HEADERS)


def stylesheet() -> Response:
    """Of that page."""
    return Response(
        STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
    )
