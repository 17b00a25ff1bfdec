"""The control API under `/_sandbox`: what banks, cardholders, buyers and the Dashboard do, without a browser."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from sandbox.stripe import bank, disputing, invoicing, payments, refunding
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, outside
from sandbox.stripe.cards import CARDS
from sandbox.stripe.checkout import buying, sessions, steps
from sandbox.stripe.control_http import as_endpoint, body_of
from sandbox.stripe.ids import new_id
from sandbox.stripe.model import Charge
from sandbox.stripe.operations import customers, discounts, payment_methods
from sandbox.stripe.refusals import Refusal, missing
from sandbox.stripe.render import render
from sandbox.stripe.thing import Json, Thing


class OutsideApi:
    """One method for each path; its docstring is the reference."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def routes(self) -> Sequence[Route]:
        """Return every path of this part of the control API."""
        table: list[tuple[str, Callable[[Request], Awaitable[Any]]]] = [
            ("/payment_intents/{id}/authenticate", self.authenticate),
            ("/payment_intents/{id}/fail", self.fail_authentication),
            ("/payment_intents/{id}/settle", self.settle_debit),
            ("/payment_methods/{id}/card", self.change_card),
            ("/refunds", self.refund),
            ("/refunds/{id}/settle", self.settle_refund),
            ("/disputes", self.open_dispute),
            ("/disputes/{id}/close", self.close_dispute),
            ("/checkout/sessions/{id}/complete", self.complete_session),
            ("/checkout/sessions/{id}/expire", self.expire_session),
            ("/checkout/sessions/{id}/subscribe", self.subscribe_early),
            ("/customers/{id}/discount", self.discount_customer),
            ("/invoices/{id}/pay_part", self.pay_part),
            ("/charges/{id}/forget_intent", self.forget_intent),
            ("/invoices/{id}/mark_paid", self.mark_paid),
            ("/objects/{id}/status", self.say_otherwise),
        ]
        return [Route(f"/_sandbox{path}", as_endpoint(act), methods=["POST"]) for path, act in table]

    async def authenticate(self, request: Request) -> Json:
        """POST /_sandbox/payment_intents/{id}/authenticate → the intent: the customer says yes at the bank."""
        return self._answer_bank(request.path_params["id"], authorised=True)

    async def fail_authentication(self, request: Request) -> Json:
        """POST /_sandbox/payment_intents/{id}/fail → the intent: the customer says no at the bank."""
        return self._answer_bank(request.path_params["id"], authorised=False)

    async def settle_debit(self, request: Request) -> Json:
        """POST /_sandbox/payment_intents/{id}/settle {"status": "succeeded"|"failed"} → the intent: a debit's end."""
        succeeded = (await body_of(request))["status"] == "succeeded"
        intent = self.account.payment_intents.get(request.path_params["id"])
        return self._shown(bank.settle(call=outside(self.account, intent), intent=intent, succeeded=succeeded))

    async def change_card(self, request: Request) -> Json:
        """POST /_sandbox/payment_methods/{id}/card {"card": a name of CARDS}: a saved card behaves otherwise now."""
        card = _card((await body_of(request))["card"])
        known = self.account.payment_methods.get(request.path_params["id"])
        return self._shown(self.account.save(replace(known, card=card)))

    async def refund(self, request: Request) -> Json:
        """POST /_sandbox/refunds → the refund, as the Dashboard makes it.

        {"charge"|"payment_intent"|"invoice", "amount"?, "reason"?, "metadata"?}
        """
        wanted = await body_of(request)
        charge = self._charge(wanted)
        amount = wanted.get("amount")
        made = refunding.refund(
            call=self._by_dashboard(charge),
            charge=charge,
            amount=charge.amount_captured - charge.amount_refunded if amount is None else amount,
            reason=wanted.get("reason"),
            metadata=wanted.get("metadata") or {},
        )
        return self._shown(made)

    async def settle_refund(self, request: Request) -> Json:
        """POST /_sandbox/refunds/{id}/settle {"status": "succeeded"|"failed"|"canceled"} → the refund."""
        status = (await body_of(request))["status"]
        known = self.account.refunds.get(request.path_params["id"])
        return self._shown(refunding.settle(call=outside(self.account, known), refund=known, status=status))

    async def open_dispute(self, request: Request) -> Json:
        """POST /_sandbox/disputes → the dispute.

        {"charge"|"payment_intent"|"invoice", "amount"?: what is left, "reason"?: "fraudulent", "inquiry"?: false}
        """
        wanted = await body_of(request)
        charge = self._charge(wanted)
        opened = disputing.open_(
            call=outside(self.account, charge),
            charge=charge,
            amount=wanted.get("amount"),
            reason=wanted.get("reason", "fraudulent"),
            inquiry=bool(wanted.get("inquiry")),
        )
        return self._shown(opened)

    async def close_dispute(self, request: Request) -> Json:
        """POST /_sandbox/disputes/{id}/close {"status": "won"|"lost"|"warning_closed"} → the dispute."""
        status = (await body_of(request))["status"]
        known = self.account.disputes.get(request.path_params["id"])
        charge = self.account.charges.get(known.charge)
        return self._shown(disputing.close(call=outside(self.account, charge), dispute=known, status=status))

    async def complete_session(self, request: Request) -> Json:
        """POST /_sandbox/checkout/sessions/{id}/complete {"card"?: "visa"} → the session.

        The buyer saves the card, or pays with it, and says yes if its bank asks. A card that is refused answers 402.
        """
        card = _card((await body_of(request)).get("card", "visa"))
        session = self.account.checkout_sessions.get(request.path_params["id"])
        call = outside(self.account, session)
        session = steps.submit(call=call, session=session, card=card)
        if steps.waits_for_bank(call=call, session=session):
            session = steps.answer_bank(call=call, session=session, authorised=True)
        error = steps.error_of(call=call, session=session)
        if error:
            raise Refusal(error["message"], status=402, type="card_error")
        return self._shown(session)

    async def expire_session(self, request: Request) -> Json:
        """POST /_sandbox/checkout/sessions/{id}/expire → the session: its time is up."""
        known = self.account.checkout_sessions.get(request.path_params["id"])
        return self._shown(sessions.expire(call=outside(self.account, known), session=known))

    async def subscribe_early(self, request: Request) -> Json:
        """POST /_sandbox/checkout/sessions/{id}/subscribe → the open session with its subscription.

        As before 2025-03-31.basil, when a session made its subscription, incomplete, while it was open.
        """
        known = self.account.checkout_sessions.get(request.path_params["id"])
        return self._shown(buying.subscribe_early(call=outside(self.account, known), session=known))

    async def discount_customer(self, request: Request) -> Json:
        """POST /_sandbox/customers/{id}/discount {"coupon"} → the discount, as the Dashboard gives it."""
        customer = self.account.customers.get(request.path_params["id"])
        call = self._by_dashboard(customer)
        customer = customers.living(call=call, id=customer.id, param="id")
        coupon = (await body_of(request))["coupon"]
        return self._shown(discounts.give_customer(call=call, customer=customer, coupon=coupon))

    async def pay_part(self, request: Request) -> Json:
        """POST /_sandbox/invoices/{id}/pay_part {"amount", "card"?: "visa"} → the invoice.

        A part of it is paid by an intent of its own, as the Dashboard does; with what was left it is paid.
        """
        wanted = await body_of(request)
        invoice = self.account.invoices.get(request.path_params["id"])
        call = self._by_dashboard(invoice)
        intent = payments.new_intent(
            call=call, amount=wanted["amount"], currency=invoice.currency, customer=invoice.customer
        )
        card = payment_methods.known_or_new(call=call, named=f"pm_card_{wanted.get('card', 'visa')}")
        method = call.save(replace(card, customer=invoice.customer))
        paid = payments.charge(call=call, intent=replace(intent, payment_method=method.id), method=method)
        if paid.status != "succeeded":
            raise payments.refusal_of(call=call, intent=paid)
        return self._shown(invoicing.take_part(call=call, invoice=invoice, intent=paid))

    async def forget_intent(self, request: Request) -> Json:
        """POST /_sandbox/charges/{id}/forget_intent → the charge, as one that was made without a payment intent.

        Its invoice's payment shows the charge then (https://docs.stripe.com/api/invoice-payment/object).
        """
        charge = self.account.charges.get(request.path_params["id"])
        for part in self.account.invoice_payments.where("payment_intent", str(charge.payment_intent)):
            self.account.save(replace(part, payment_intent=None, charge=charge.id))
            invoice = self.account.invoices.get(part.invoice)
            if invoice.payment_intent == charge.payment_intent:
                self.account.save(replace(invoice, payment_intent=None))
        return self._shown(self.account.save(replace(charge, payment_intent=None)))

    async def mark_paid(self, request: Request) -> Json:
        """POST /_sandbox/invoices/{id}/mark_paid → the invoice: somebody paid it outside of Stripe, as staff says."""
        invoice = self.account.invoices.get(request.path_params["id"])
        return self._shown(invoicing.settle_out_of_band(call=self._by_dashboard(invoice), invoice=invoice))

    async def say_otherwise(self, request: Request) -> Json:
        """POST /_sandbox/objects/{id}/status {"status": any word} → the object, in a status that Stripe may add."""
        known = self.account.look_up(request.path_params["id"])
        if known is None:
            raise missing(kind="object", id=request.path_params["id"], param="id")
        changes: Json = {"status": (await body_of(request))["status"]}
        return self._shown(self.account.save(replace(known, **changes)))

    def _shown(self, thing: Thing) -> Json:
        return render(thing, version=self.account.settings.api_version)

    def _answer_bank(self, id: str, *, authorised: bool) -> Json:  # noqa: A002
        intent = self.account.payment_intents.get(id)
        return self._shown(bank.answer(call=outside(self.account, intent), intent=intent, authorised=authorised))

    def _charge(self, wanted: Json) -> Charge:
        if "charge" in wanted:
            return self.account.charges.get(wanted["charge"])
        intent = wanted.get("payment_intent") or self.account.invoices.get(wanted["invoice"]).payment_intent
        return self.account.charges.get(str(self.account.payment_intents.get(str(intent)).latest_charge))

    def _by_dashboard(self, of: Thing) -> Call:
        """Make a request of the Dashboard's own: it has an id and no key of ours."""
        return replace(outside(self.account, of), request_id=new_id(prefix="req"))


def _card(name: str) -> str:
    if name not in CARDS:
        raise Refusal(f"No such card: {name}. There are: {', '.join(CARDS)}")
    return name
