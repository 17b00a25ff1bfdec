"""Checkout's hosted page in setup mode: a test card by radio button, Save or Cancel; and its bank's 3-D Secure step."""

import html
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe import checkout
from sandbox.stripe.account import Account
from sandbox.stripe.call import outside
from sandbox.stripe.cards import CARDS, Card
from sandbox.stripe.checkout_model import CheckoutSession
from sandbox.stripe.html_page import html_page
from sandbox.stripe.refusals import Refusal


def checkout_routes(account: Account) -> Sequence[Route]:
    """The routes of the page; all work as plain forms."""

    def session_of(request: Request) -> CheckoutSession:
        return account.checkout_sessions.get(request.path_params["session"])

    async def show(request: Request) -> Response:
        return show_session(account, session_of(request))

    async def save(request: Request) -> Response:
        form = await request.form()
        return save_card(account, session_of(request), card=str(form.get("card", "")))

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
        Route("/c/pay/{session}/save", save, methods=["POST"]),
        Route("/c/pay/{session}/cancel", cancel, methods=["POST"]),
        Route("/c/pay/{session}/bank", bank),
        Route("/c/pay/{session}/bank/{answer:str}", answer, methods=["POST"]),
    ]


def show_session(account: Account, session: CheckoutSession) -> Response:
    """The form, with the reason why the last card was not saved; or that the session is over."""
    if session.status != "open":
        return html_page(title="Checkout", body=f"<p>This page is <b id='status'>{session.status}</b>.</p>")
    error = checkout.intent_of(call=outside(account), session=session).last_setup_error
    shown = f"<p class='error' role='alert'>{html.escape(error['message'])}</p>" if error else ""
    cancel = (
        f'<form method="post" action="/c/pay/{session.id}/cancel"><button id="cancel">Cancel</button></form>'
        if session.cancel_url
        else ""
    )
    body = (
        f'{shown}<form method="post" action="/c/pay/{session.id}/save"><fieldset><legend>Card</legend>{_choices()}'
        f'</fieldset><button id="save">Save</button></form>{cancel}'
    )
    return html_page(title="Save a card", body=body)


def save_card(account: Account, session: CheckoutSession, *, card: str) -> Response:
    """Save, and go on to the shop, to the bank, or back to the form."""
    if card not in CARDS:
        raise Refusal(f"No such card: {card}", param="card")
    if session.status == "open":
        session = checkout.save_card(call=outside(account), session=session, card=card)
    return _onward(account, session)


def show_bank(account: Account, session: CheckoutSession) -> Response:
    """Two buttons: Authorise and Fail."""
    if not _waits_for_bank(account, session):
        return html_page(title="Nothing to confirm", body="<p>The bank asks nothing.</p>")
    here = f"/c/pay/{session.id}/bank"
    body = (
        "<p>The sandbox's bank asks: may this card be saved?</p>"
        f'<form method="post" action="{here}/authorise"><button id="authorise">Authorise</button></form>'
        f'<form method="post" action="{here}/fail"><button id="fail">Fail</button></form>'
    )
    return html_page(title="3-D Secure", body=body)


def answer_bank(account: Account, session: CheckoutSession, *, authorised: bool) -> Response:
    """Tell the bank, and go on."""
    if _waits_for_bank(account, session):
        session = checkout.answer_bank(call=outside(account), session=session, authorised=authorised)
    return _onward(account, session)


def _onward(account: Account, session: CheckoutSession) -> Response:
    if session.status == "complete":
        return RedirectResponse(session.success_url.replace("{CHECKOUT_SESSION_ID}", session.id), status_code=303)
    return RedirectResponse(f"{session.url}/bank" if _waits_for_bank(account, session) else session.url, 303)


def _waits_for_bank(account: Account, session: CheckoutSession) -> bool:
    intent = checkout.intent_of(call=outside(account), session=session)
    return session.status == "open" and intent.status == "requires_action"


def _choices() -> str:
    first = next(iter(CARDS))
    return "".join(
        f'<label><input type="radio" name="card" id="card-{name}" value="{name}"{" checked" if name == first else ""}> '
        f"•••• {card.last4} {name}{_what(card)}</label>"
        for name, card in CARDS.items()
    )


def _what(card: Card) -> str:
    """What to expect of it, for the label."""
    if card.attach:
        return ", is refused"
    return ", asks its bank" if card.authenticate else ""
