"""The frame of the pages that a buyer meets at Stripe's side."""

import html
from string import Template
from typing import Final

from starlette.responses import HTMLResponse, Response

FRAME: Final = Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>$title</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}
button{font:inherit;padding:.6rem 1.2rem;margin-right:.5rem}form{display:inline}td{padding-right:2rem}
label{display:block}fieldset{margin:1rem 0}.error{color:#b00020}</style>
</head><body><h1>$title</h1>
$body
</body></html>
"""
)


def html_page(*, title: str, body: str, status: int = 200) -> Response:
    """A page; `title` is text, `body` is HTML."""
    return HTMLResponse(FRAME.substitute(title=html.escape(title), body=body), status_code=status)
