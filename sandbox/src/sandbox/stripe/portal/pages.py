"""The portal's page: the plan, its other prices, cancelling and taking that back, the card, invoices, the way back."""

import html
from collections.abc import Sequence
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, outside
from sandbox.stripe.cards import CARDS
from sandbox.stripe.html_page import card_choices, html_page
from sandbox.stripe.model import Price
from sandbox.stripe.money import shown
from sandbox.stripe.portal import acts
from sandbox.stripe.portal.model import PortalSession
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.subscriptions.collecting import card_for
from sandbox.stripe.subscriptions.model import Subscription


def portal_routes(account: Account) -> Sequence[Route]:
    """Return the routes of the page; all work as plain forms."""

    async def show(request: Request) -> Response:
        return show_portal(account, _session(account, request))

    async def act(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        return do(account, _session(account, request), what=request.path_params["act"], form=form)

    return [
        Route("/p/session/{session}", show),
        Route("/p/session/{session}/{act:str}", act, methods=["POST"]),
    ]


def show_portal(account: Account, session: PortalSession, *, error: str | None = None) -> Response:
    """Show everything that the configuration allows, or the one thing that the flow is for."""
    call = outside(account, session)
    parts = [
        f"<p class='error' role='alert'>{html.escape(error)}</p>" if error else "",
        *(_plan(call, session, one) for one in account.subscriptions.where("customer", session.customer)[:1]),
        _card(call, session),
        _invoices(call, session),
        f"<p><a id='back' href='{html.escape(session.return_url)}'>Return</a></p>" if session.return_url else "",
    ]
    return html_page(title="Your plan", body="".join(parts), status=402 if error else 200)


def do(account: Account, session: PortalSession, *, what: str, form: dict[str, str]) -> Response:
    """One act, then back to the page, or to where the flow leads; a refusal is shown."""
    call = outside(account, session)
    try:
        perform(call=call, session=session, what=what, form=form)
    except Refusal as refusal:
        return show_portal(account, session, error=str(refusal))
    redirect = ((session.flow or {}).get("after_completion") or {}).get("redirect")
    return RedirectResponse(redirect["return_url"] if redirect else session.url, status_code=303)


def perform(*, call: Call, session: PortalSession, what: str, form: dict[str, str]) -> None:
    """`switch` with a `price`, `cancel`, `resume`, or `card` with the `card` of CARDS."""
    if what == "switch":
        acts.switch(call=call, session=session, price=form.get("price", ""))
    elif what == "cancel":
        feedback = {name: form.get(name) for name in ("feedback", "comment")}
        acts.cancel(call=call, session=session, **feedback)
    elif what == "resume":
        acts.resume(call=call, session=session)
    elif what == "card" and form.get("card") in CARDS:
        acts.update_card(call=call, session=session, card=form["card"])
    else:
        raise Refusal(f"The portal knows no such act: {what} {form}", status=404)


def _plan(call: Call, session: PortalSession, subscription: Subscription) -> str:
    price = subscription.items[0].price
    ends = " (will be cancelled)" if subscription.cancel_at else ""
    head = (
        f"<h2>{_name(call, price)}</h2><p>{_price(price)}, <b id='status'>{subscription.status}</b>, period ends "
        f"<span id='period-end'>{_day(subscription.period_end)}</span>{ends}</p>"
    )
    if subscription.is_over:
        return head
    return head + _switches(call, session, subscription) + _cancelling(call, session, subscription)


def _switches(call: Call, session: PortalSession, subscription: Subscription) -> str:
    if not _is_shown(session, "subscription_update"):
        return ""
    return "".join(
        _form(session, "switch", f"Switch to {_price(price)}", ident=f"switch-{price.id}", price=price.id)
        for price in acts.offered(call=call, session=session, subscription=subscription)
    )


def _cancelling(call: Call, session: PortalSession, subscription: Subscription) -> str:
    enabled = acts.feature(call=call, session=session, name="subscription_cancel")["enabled"]
    if not enabled or not _is_shown(session, "subscription_cancel"):
        return ""
    if subscription.cancel_at_period_end:
        return _form(session, "resume", "Don't cancel")
    return _form(session, "cancel", "Cancel plan")


def _card(call: Call, session: PortalSession) -> str:
    enabled = acts.feature(call=call, session=session, name="payment_method_update")["enabled"]
    if not enabled or not _is_shown(session, "payment_method_update"):
        return ""
    held = call.account.subscriptions.where("customer", session.customer)
    method = card_for(call=call, subscription=held[0]) if held else None
    now = f"•••• {CARDS[method.card].last4}" if method else "none"
    return (
        f'<h2>Card</h2><p>Now: <span id="card-now">{now}</span></p><form method="post" '
        f'action="/p/session/{session.id}/card"><fieldset><legend>Another card</legend>'
        f'{card_choices(setting_up=True)}</fieldset><button id="card">Update card</button></form>'
    )


def _invoices(call: Call, session: PortalSession) -> str:
    if session.flow or not acts.feature(call=call, session=session, name="invoice_history")["enabled"]:
        return ""
    rows = "".join(
        f"<tr><td>{_day(one.created)}</td><td><a href='{one.hosted_invoice_url}'>{one.number}</a></td>"
        f"<td>{shown(one.due, one.currency)}</td><td>{one.status}</td></tr>"
        for one in call.account.invoices.where("customer", session.customer)
        if one.hosted_invoice_url
    )
    return f"<h2>Invoices</h2><table id='invoices'>{rows}</table>"


def _form(session: PortalSession, act: str, text: str, *, ident: str | None = None, **fields: str) -> str:
    hidden = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
    button = f'<button id="{ident or act}">{html.escape(text)}</button>'
    return f'<form method="post" action="/p/session/{session.id}/{act}">{hidden}{button}</form>'


def _is_shown(session: PortalSession, section: str) -> bool:
    return session.flow is None or session.flow["type"] == section


def _name(call: Call, price: Price) -> str:
    product = call.account.products.find(price.product)
    return html.escape(product.name if product else price.product)


def _price(price: Price) -> str:
    interval = (price.recurring or {}).get("interval")
    return f"{shown(price.unit_amount, price.currency)} / {interval}"


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def _session(account: Account, request: Request) -> PortalSession:
    return account.portal_sessions.get(request.path_params["session"])
