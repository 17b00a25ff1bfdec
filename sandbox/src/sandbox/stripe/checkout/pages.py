"""Checkout's hosted page: what is sold, a test card by radio button, one button; and its bank's 3-D Secure step."""

import html
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe.account import Account
from sandbox.stripe.call import outside
from sandbox.stripe.cards import CARDS
from sandbox.stripe.checkout import steps
from sandbox.stripe.checkout.model import CheckoutSession, LineItem
from sandbox.stripe.html_page import card_choices, html_page
from sandbox.stripe.money import shown
from sandbox.stripe.refusals import Refusal

TITLES = {"payment": "Pay", "setup": "Save a card", "subscription": "Subscribe"}
VERBS = {"payment": "pay", "setup": "save", "subscription": "pay"}
"""The id and address of the one button, by mode."""


def checkout_routes(account: Account) -> Sequence[Route]:
    """Return the routes of the page; all work as plain forms."""

    def session_of(request: Request) -> CheckoutSession:
        return account.checkout_sessions.get(request.path_params["session"])

    async def show(request: Request) -> Response:
        return show_session(account, session_of(request))

    async def submit(request: Request) -> Response:
        form = await request.form()
        return use_card(account, session_of(request), card=str(form.get("card", "")))

    async def cancel(request: Request) -> Response:
        session = session_of(request)
        return RedirectResponse(session.cancel_url or session.url, status_code=303)

    async def bank(request: Request) -> Response:
        return show_bank(account, session_of(request))

    async def answer(request: Request) -> Response:
        authorised = request.path_params["answer"] == "authorise"
        return answer_bank(account, session_of(request), authorised=authorised)

    return [
        Route("/c/pay/{session}", show),
        Route("/c/pay/{session}/save", submit, methods=["POST"]),
        Route("/c/pay/{session}/pay", submit, methods=["POST"]),
        Route("/c/pay/{session}/cancel", cancel, methods=["POST"]),
        Route("/c/pay/{session}/bank", bank),
        Route("/c/pay/{session}/bank/{answer:str}", answer, methods=["POST"]),
    ]


def show_session(account: Account, session: CheckoutSession) -> Response:
    """Show the form, with why the last card was refused; lead on to the shop; or say that the session is over."""
    if session.status == "complete" and session.mode != "setup":
        return _onward(account, session)
    if session.status != "open":
        return html_page(title="Checkout", body=f"<p>This page is <b id='status'>{session.status}</b>.</p>")
    error = steps.error_of(call=outside(account, session), session=session)
    notice = f"<p class='error' role='alert'>{html.escape(error['message'])}</p>" if error else ""
    here, verb = f"/c/pay/{session.id}", VERBS[session.mode]
    cancel = f'<form method="post" action="{here}/cancel"><button id="cancel">Cancel</button></form>'
    body = (
        f'{notice}{_offer(session)}<form method="post" action="{here}/{verb}"><fieldset><legend>Card</legend>'
        f"{card_choices(setting_up=session.mode == 'setup')}</fieldset>"
        f'<button id="{verb}">{verb.title()}</button></form>{cancel if session.cancel_url else ""}'
    )
    return html_page(title=TITLES[session.mode], body=body)


def use_card(account: Account, session: CheckoutSession, *, card: str) -> Response:
    """Save it or pay with it, and go on to the shop, to the bank, or back to the form."""
    if card not in CARDS:
        raise Refusal(f"No such card: {card}", param="card")
    if session.status == "open":
        session = steps.submit(call=outside(account, session), session=session, card=card)
    return _onward(account, session)


def show_bank(account: Account, session: CheckoutSession) -> Response:
    """Two buttons: Authorise and Fail."""
    if not steps.waits_for_bank(call=outside(account, session), session=session):
        return html_page(title="Nothing to confirm", body="<p>The bank asks nothing.</p>")
    here = f"/c/pay/{session.id}/bank"
    asked = "may this card be saved?" if session.mode == "setup" else "do you authorise this payment?"
    body = (
        f"<p>The sandbox's bank asks: {asked}</p>"
        f'<form method="post" action="{here}/authorise"><button id="authorise">Authorise</button></form>'
        f'<form method="post" action="{here}/fail"><button id="fail">Fail</button></form>'
    )
    return html_page(title="3-D Secure", body=body)


def answer_bank(account: Account, session: CheckoutSession, *, authorised: bool) -> Response:
    """Tell the bank, and go on."""
    call = outside(account, session)
    if steps.waits_for_bank(call=call, session=session):
        session = steps.answer_bank(call=call, session=session, authorised=authorised)
    return _onward(account, session)


def _onward(account: Account, session: CheckoutSession) -> Response:
    if session.status == "complete":
        return RedirectResponse(session.success_url.replace("{CHECKOUT_SESSION_ID}", session.id), status_code=303)
    waits = steps.waits_for_bank(call=outside(account, session), session=session)
    return RedirectResponse(f"{session.url}/bank" if waits else session.url, status_code=303)


def _offer(session: CheckoutSession) -> str:
    if not session.line_items:
        return ""
    rows = "".join(_row(one) for one in session.line_items)
    total = shown(session.total, str(session.currency))
    return f"<table id='items'>{rows}<tr><th>Total</th><td id='total'>{total}</td></tr></table>"


def _row(item: LineItem) -> str:
    rhythm = f" / {item.price.recurring['interval']}" if item.price.recurring else ""
    name = html.escape(item.description or item.price.product)
    return f"<tr><td>{item.quantity} × {name}</td><td>{shown(item.amount, item.price.currency)}{rhythm}</td></tr>"
