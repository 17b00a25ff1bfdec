"""The frame of the pages that a buyer meets at Stripe's side."""

import html
from string import Template
from typing import Final

from starlette.responses import HTMLResponse, Response

from sandbox.stripe.cards import CARDS, Card

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


def card_choices(*, setting_up: bool) -> str:
    """Make a radio button for each test card, which says what to expect when it is saved, or when it pays."""
    first = next(iter(CARDS))
    return "".join(
        f'<label><input type="radio" name="card" id="card-{name}" value="{name}"{" checked" if name == first else ""}> '
        f"•••• {card.last4} {name}{_what(card, setting_up=setting_up)}</label>"
        for name, card in CARDS.items()
        if not card.debit
    )


def _what(card: Card, *, setting_up: bool) -> str:
    if card.attach if setting_up else card.charge:
        return ", is refused"
    return ", asks its bank" if card.authenticate else ""


def html_page(*, title: str, body: str, status: int = 200) -> Response:
    """Make a page; `title` is text, `body` is HTML."""
    return HTMLResponse(FRAME.substitute(title=html.escape(title), body=body), status_code=status)
