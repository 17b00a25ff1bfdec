"""An async client for the sandbox's control API, for tests and for the demo."""

from collections.abc import Sequence
from typing import Any

from sandbox.stripe.billing_control import BillingControl
from sandbox.stripe.control_client import ControlError as ControlError
from sandbox.stripe.control_client import Json as Json


class StripeControl(BillingControl):
    """Does to the sandbox what no client of Stripe could. Each method is one path of the control API.

    Use it as an async context manager, or call `close`.
    """

    async def health(self) -> Json:
        """Return whether it is up, and how many objects of each kind it holds."""
        return await self._get("/health")

    async def reset(self) -> None:
        """Forget everything but the settings."""
        await self._post("/reset")

    async def settings(self, **changes: Any) -> Json:
        """Change fields of `Settings`; answers with all of them."""
        return await self._post("/settings", changes)

    async def register_endpoint(
        self,
        url: str,
        *,
        secrets: Sequence[str] = (),
        api_version: str | None = None,
        enabled_events: Sequence[str] = ("*",),
    ) -> Json:
        """Register a webhook endpoint; `secrets` are in the answer, made up when none is given."""
        body = {"url": url, "secrets": list(secrets), "api_version": api_version}
        return await self._post("/endpoints", body | {"enabled_events": list(enabled_events)})

    async def change_endpoint(self, endpoint: str, **changes: Any) -> Json:
        """Change `url`, `secrets`, `status`, `enabled_events` or `api_version`."""
        return await self._call("PATCH", f"/endpoints/{endpoint}", changes)

    async def fault(self, fault: str, *, operation: str = "*", times: int | None = 1, **more: Any) -> Json:
        """Spoil the next `times` requests of `operation`; the names are in `faults.Fault`."""
        return await self._post("/faults", {"fault": fault, "operation": operation, "times": times, **more})

    async def faults(self) -> list[Json]:
        """Return the faults in force, with their hits."""
        return await self._data("/faults")

    async def reset_faults(self) -> None:
        """End all faults of the API."""
        await self._call("DELETE", "/faults")

    async def webhook_rule(
        self,
        mishap: str,
        *,
        type: str = "*",  # noqa: A002 - Stripe's word
        times: int | None = None,
        **more: Any,
    ) -> Json:
        """Let something happen to webhooks on their way; the names are in `webhook_rules.Mishap`."""
        return await self._post("/webhooks/rules", {"mishap": mishap, "type": type, "times": times, **more})

    async def drop_webhooks(self, type: str = "*", *, times: int | None = None) -> Json:  # noqa: A002
        """Lose webhooks; the event list still has them."""
        return await self.webhook_rule("drop", type=type, times=times)

    async def duplicate_webhooks(self, type: str = "*", *, copies: int = 2, times: int | None = None) -> Json:  # noqa: A002
        """Deliver each webhook `copies` times, at once."""
        return await self.webhook_rule("duplicate", type=type, times=times, copies=copies)

    async def delay_webhooks(self, type: str = "*", *, seconds: float, times: int | None = None) -> Json:  # noqa: A002
        """Deliver webhooks `seconds` late."""
        return await self.webhook_rule("delay", type=type, times=times, seconds=seconds)

    async def reorder_webhooks(
        self,
        type: str = "*",  # noqa: A002
        *,
        seconds: float = 0.2,
        times: int | None = None,
        order: Sequence[str] = (),
    ) -> Json:
        """Collect webhooks for `seconds`, then deliver them in the `order` of types, or last first."""
        return await self.webhook_rule("reorder", type=type, times=times, seconds=seconds, order=list(order))

    async def hold_webhooks(self, type: str = "*", *, times: int | None = None) -> Json:  # noqa: A002
        """Keep webhooks back until `release_webhooks`."""
        return await self.webhook_rule("hold", type=type, times=times)

    async def release_webhooks(self, *, reverse: bool = False) -> int:
        """Deliver what was held; a rule that holds stays in force. Says how many."""
        return int((await self._post("/webhooks/release", {"reverse": reverse}))["released"])

    async def webhook_rules(self) -> list[Json]:
        """Return the rules in force, with their hits."""
        return await self._data("/webhooks/rules")

    async def reset_webhook_rules(self) -> None:
        """End all rules; what is held stays held."""
        await self._call("DELETE", "/webhooks/rules")

    async def deliveries(self, *, event: str | None = None) -> list[Json]:
        """Return every delivery, or those of one event: its state, attempts and the statuses it met."""
        return await self._data("/webhooks/deliveries", event=event)

    async def events(self, *, type: str | None = None, version: str | None = None) -> list[Json]:  # noqa: A002
        """Return all events, oldest first, their objects in the shape of `version`."""
        return await self._data("/events", type=type, version=version)

    async def resend(self, event: str, *, copies: int = 1, endpoint: str | None = None) -> int:
        """Deliver an event again, `copies` times in parallel, past all rules. Says how many."""
        body = {"copies": copies} | ({"endpoint": endpoint} if endpoint else {})
        return int((await self._post(f"/events/{event}/resend", body))["sent"])

    async def quiet(self, *, timeout: float = 10) -> bool:  # noqa: ASYNC109 - the server waits
        """Wait until nothing is being delivered; false when it still is after `timeout` seconds."""
        return bool((await self._get("/quiet", timeout=str(timeout)))["quiet"])

    async def requests(self, *, operation: str | None = None) -> list[Json]:
        """Return the last requests that the API got."""
        return await self._data("/requests", operation=operation)

    async def forget_idempotency_keys(self, key: str | None = None) -> None:
        """Forget one key, or all, as Stripe does after 24 hours."""
        await self._post("/idempotency/forget", {"key": key} if key else {})

    async def objects(self, *, kind: str | None = None, version: str | None = None) -> dict[str, list[Json]]:
        """Return every object by kind (`invoice`, `payment_intent`, `charge`, `refund` …), oldest first."""
        return await self._get("/objects", kind=kind, version=version)

    async def sums(self) -> Json:
        """Sum `{"total": {currency: {captured, refunded, payments, refunds}}, "customers": {id: the same}, "lost": …}`.

        `lost` is `{customer: {currency: minor units}}` of lost disputes; `plans` is `{customer: {currency: {captured,
        refunded}}}`, what of the figures paid for subscriptions' periods; `credit` is `{customer: {currency: {applied,
        given_back}}}`, what customers' balances paid of invoices, and what we gave back to them.
        """
        return await self._get("/sums")

    async def authenticate(self, payment_intent: str) -> Json:
        """Say yes at the bank, as the customer, without a browser."""
        return await self._post(f"/payment_intents/{payment_intent}/authenticate")

    async def fail_authentication(self, payment_intent: str) -> Json:
        """Say no at the bank, as the customer, without a browser."""
        return await self._post(f"/payment_intents/{payment_intent}/fail")

    async def settle_debit(self, payment_intent: str, *, succeeded: bool = True) -> Json:
        """End, as the bank, a debit that was `processing`."""
        status = "succeeded" if succeeded else "failed"
        return await self._post(f"/payment_intents/{payment_intent}/settle", {"status": status})

    async def change_card(self, payment_method: str, card: str) -> Json:
        """Let a saved card behave as another row of `cards.CARDS` from now on."""
        return await self._post(f"/payment_methods/{payment_method}/card", {"card": card})

    async def refund_as_dashboard(
        self,
        *,
        charge: str | None = None,
        payment_intent: str | None = None,
        invoice: str | None = None,
        amount: int | None = None,
        metadata: dict[str, str] | None = None,
    ) -> Json:
        """Refund what one of the ids paid, in full without `amount`; the events carry no key of ours."""
        wanted = {
            "charge": charge,
            "payment_intent": payment_intent,
            "invoice": invoice,
            "amount": amount,
            "metadata": metadata,
        }
        return await self._post("/refunds", {name: value for name, value in wanted.items() if value is not None})

    async def settle_refund(self, refund: str, *, status: str) -> Json:
        """End a refund, as the bank: `succeeded`, `failed` or `canceled`."""
        return await self._post(f"/refunds/{refund}/settle", {"status": status})

    async def open_dispute(
        self,
        *,
        charge: str | None = None,
        payment_intent: str | None = None,
        invoice: str | None = None,
        amount: int | None = None,
        reason: str = "fraudulent",
        inquiry: bool = False,
    ) -> Json:
        """Dispute, as the cardholder's bank, what one of the ids paid; an `inquiry` moves no money."""
        wanted = {"charge": charge, "payment_intent": payment_intent, "invoice": invoice, "amount": amount}
        sent = {name: value for name, value in wanted.items() if value is not None}
        return await self._post("/disputes", {**sent, "reason": reason, "inquiry": inquiry})

    async def close_dispute(self, dispute: str, *, status: str) -> Json:
        """Close a dispute, as the bank: `won`, `lost`, or `warning_closed` for an inquiry."""
        return await self._post(f"/disputes/{dispute}/close", {"status": status})

    async def complete_session(self, session: str, *, card: str = "visa") -> Json:
        """Save a card of `cards.CARDS` on Checkout's page, or pay with it, and say yes if its bank asks.

        Raises ControlError (402) for a card that is refused; the session stays open.
        """
        return await self._post(f"/checkout/sessions/{session}/complete", {"card": card})

    async def expire_session(self, session: str) -> Json:
        """Let the Checkout session's time be up."""
        return await self._post(f"/checkout/sessions/{session}/expire")

    async def subscribe_early(self, session: str) -> Json:
        """Begin the open session's subscription, incomplete, as before 2025-03-31.basil."""
        return await self._post(f"/checkout/sessions/{session}/subscribe")

    async def discount_customer(self, customer: str, *, coupon: str) -> Json:
        """Give a customer a coupon, as the Dashboard does."""
        return await self._post(f"/customers/{customer}/discount", {"coupon": coupon})

    async def forget_intent(self, charge: str) -> Json:
        """Let a charge be one that was made without a payment intent, as before there were any."""
        return await self._post(f"/charges/{charge}/forget_intent")

    async def say_otherwise(self, thing: str, *, status: str) -> Json:
        """Put an object into a status that Stripe may add one day; no event tells of it."""
        return await self._post(f"/objects/{thing}/status", {"status": status})

    async def mark_paid(self, invoice: str) -> Json:
        """Mark an open invoice as paid outside of Stripe, as the Dashboard does."""
        return await self._post(f"/invoices/{invoice}/mark_paid")

    async def pay_part(self, invoice: str, *, amount: int, card: str = "visa") -> Json:
        """Pay a part of an open invoice, as the Dashboard does; with what was left the invoice is paid."""
        return await self._post(f"/invoices/{invoice}/pay_part", {"amount": amount, "card": card})
