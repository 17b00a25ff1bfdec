"""What people see when there is no page, or nobody who could make it. It says what happened to what they sent."""

import base64
import hashlib
from string import Template
from typing import Final

import httpx
from starlette.responses import HTMLResponse, Response

_STYLE: Final = """:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
body{margin:0;color:#1b1f27;background:#f6f7f9}a{color:#1d4ed8}
main{max-width:34rem;margin:15vh auto;padding:0 1rem}h1{font-size:1.5rem;line-height:1.2}
@media(prefers-color-scheme:dark){body{color:#e8eaf0;background:#12151b}a{color:#8fb0ff}}"""
_FRAME: Final = Template(
    f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>{_STYLE}</style>
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
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
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


def not_found() -> Response:
    """404."""
    return _page(
        404, "There is no such page", "The address may be mistyped.", 'Go to <a href="/pricing">the prices</a>.'
    )


def out_of_reach(method: str, error: httpx.TransportError) -> Response:
    """502, or 504 where it took too long; honest about whether what was sent may have been done."""
    if method in _READS:
        happened = f"Opening a page changes nothing. {WHETHER_PAID}"
    elif isinstance(error, _NEVER_ARRIVED):
        happened = "What you sent did not arrive: nothing was changed and nothing was charged."
    else:
        happened = f"What you sent may have arrived. {WHETHER_PAID} {NEVER_TWICE}"
    status = 504 if isinstance(error, httpx.TimeoutException) else 502
    return _page(status, TITLE, happened, "Please try again in a minute.")


def _page(status: int, title: str, happened: str, next_step: str) -> Response:
    page = _FRAME.substitute(title=title, happened=happened, next=next_step)
    return HTMLResponse(page, status_code=status, headers=_HEADERS)
