"""The pages that a buyer meets at Stripe's side: the bank's 3-D Secure step and the hosted invoice."""

import html
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe import bank, invoicing, payments
from sandbox.stripe.account import Account
from sandbox.stripe.call import outside
from sandbox.stripe.html_page import html_page
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.model import PaymentIntent
from sandbox.stripe.money import shown
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.subscriptions import collecting


def page_routes(account: Account) -> Sequence[Route]:
    """Return the routes of both pages."""

    async def bank_page(request: Request) -> Response:
        return show_bank(_intent(account, request))

    async def bank_answer(request: Request) -> Response:
        intent = _intent(account, request)
        return answer_bank(account=account, intent=intent, authorised=request.path_params["answer"] == "authorise")

    async def invoice_page(request: Request) -> Response:
        return show_invoice(_invoice(account, request))

    async def pay_invoice(request: Request) -> Response:
        return pay_on_page(account=account, invoice=_invoice(account, request))

    return [
        Route("/bank/{intent}/{secret}", bank_page),
        Route("/bank/{intent}/{secret}/{answer:str}", bank_answer, methods=["POST"]),
        Route("/i/{invoice}/{token}", invoice_page),
        Route("/i/{invoice}/{token}/pdf", invoice_page),
        Route("/i/{invoice}/{token}/pay", pay_invoice, methods=["POST"]),
    ]


def show_bank(intent: PaymentIntent) -> Response:
    """Two buttons: Authorise and Fail."""
    if intent.status != "requires_action":
        return html_page(title="Nothing to confirm", body=f"<p>This payment is <b>{intent.status}</b>.</p>")
    here = f"/bank/{intent.id}/{intent.client_secret}"
    body = (
        f"<p>The sandbox's bank asks: do you authorise <b>{shown(intent.amount, intent.currency)}</b>?</p>"
        f'<form method="post" action="{here}/authorise"><button id="authorise">Authorise</button></form>'
        f'<form method="post" action="{here}/fail"><button id="fail">Fail</button></form>'
    )
    return html_page(title="3-D Secure", body=body)


def answer_bank(*, account: Account, intent: PaymentIntent, authorised: bool) -> Response:
    """Settle the intent and bring the buyer back, with `payment_intent` and `redirect_status` as Stripe adds them."""
    if intent.status == "requires_action":
        intent = bank.answer(call=outside(account, intent), intent=intent, authorised=authorised)
    if intent.return_url is None:
        return html_page(title="Done", body=f"<p>The payment is <b>{intent.status}</b>. You may close this page.</p>")
    return RedirectResponse(return_address(intent), status_code=303)


def return_address(intent: PaymentIntent) -> str:
    """Return the intent's return_url with Stripe's parameters appended to its own."""
    parts = urlsplit(str(intent.return_url))
    added = {
        "payment_intent": intent.id,
        "payment_intent_client_secret": intent.client_secret,
        "redirect_status": "succeeded" if intent.status == "succeeded" else "failed",
    }
    query = "&".join(part for part in (parts.query, urlencode(added)) if part)
    return urlunsplit(parts._replace(query=query))


def show_invoice(invoice: Invoice) -> Response:
    """Show the hosted invoice page, in the least that is needed."""
    rows = "".join(
        f"<tr><td>{html.escape(line.description or '')}</td><td>{shown(line.amount, line.currency)}</td></tr>"
        for line in invoice.lines
    )
    pay = f'<form method="post" action="/i/{invoice.id}/{_token(invoice)}/pay"><button id="pay">Pay</button></form>'
    body = (
        f"<p>Status: <b id='status'>{invoice.status}</b></p><table>{rows}</table>"
        f"<p>Amount due: {shown(invoice.remaining, invoice.currency)}</p>{pay if invoice.status == 'open' else ''}"
    )
    return html_page(title=f"Invoice {invoice.number}", body=body)


def pay_on_page(*, account: Account, invoice: Invoice) -> Response:
    """Pay with the customer's default method, the customer being there; the bank may ask first."""
    call = outside(account, invoice)
    method = collecting.method_for(call=call, invoice=invoice)
    if method and invoice.status == "open":
        intent = payments.attempt(
            call=call,
            intent=account.payment_intents.get(str(invoice.payment_intent)),
            method=method,
            off_session=False,
            return_url=invoice.hosted_invoice_url,
        )
        if intent.next_action:
            return RedirectResponse(intent.next_action["redirect_to_url"]["url"], status_code=303)
        invoicing.follow(call=call, intent=intent)
    return RedirectResponse(str(invoice.hosted_invoice_url), status_code=303)


def _intent(account: Account, request: Request) -> PaymentIntent:
    intent = account.payment_intents.get(request.path_params["intent"])
    if intent.client_secret != request.path_params["secret"]:
        raise Refusal("No such page", status=404)
    return intent


def _invoice(account: Account, request: Request) -> Invoice:
    invoice = account.invoices.get(request.path_params["invoice"])
    if _token(invoice) != request.path_params["token"]:
        raise Refusal("No such page", status=404)
    return invoice


def _token(invoice: Invoice) -> str:
    return (invoice.hosted_invoice_url or "").rpartition("/")[2]
