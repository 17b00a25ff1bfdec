"""The part of the control client that is about time, subscriptions and the Customer Portal."""

from sandbox.stripe.control_client import ControlClient, Json


class BillingControl(ControlClient):
    """Each method is one path of `billing_api` or `portal_api`."""

    async def now(self, customer: str | None = None) -> int:
        """Unix time by the account's clock, or a customer's own."""
        return int((await self._get("/clock", customer=customer))["now"])

    async def advance(self, *, seconds: int, customer: str | None = None) -> int:
        """Let time pass, for one customer or for all, and whatever falls due be done; says what time it is then."""
        body: Json = {"seconds": seconds} | ({"customer": customer} if customer else {})
        return int((await self._post("/clock/advance", body))["now"])

    async def renew(self, subscription: str) -> Json:
        """Let the period end and the next one be billed and charged, by its customer's clock."""
        return await self._post(f"/subscriptions/{subscription}/renew")

    async def retry(self, subscription: str) -> Json:
        """Let the next attempt at its open invoice come. Raises ControlError when none will."""
        return await self._post(f"/subscriptions/{subscription}/retry")

    async def exhaust_retries(self, subscription: str) -> Json:
        """Let every attempt at its open invoice come, until Stripe gives up or it is paid."""
        return await self._post(f"/subscriptions/{subscription}/exhaust")

    async def portal_switch(self, session: str, *, price: str) -> Json:
        """In the portal (its session's id or URL): another price. Raises ControlError (402) where no card would pay."""
        return await self._in_portal(session, "switch", {"price": price})

    async def portal_cancel(self, session: str) -> Json:
        """In the portal: cancel, at the period's end or at once as its configuration says."""
        return await self._in_portal(session, "cancel", {})

    async def portal_resume(self, session: str) -> Json:
        """In the portal: take a planned cancellation back."""
        return await self._in_portal(session, "resume", {})

    async def portal_update_card(self, session: str, *, card: str = "visa") -> Json:
        """In the portal: another card of `cards.CARDS` everywhere, which also pays what is open."""
        return await self._in_portal(session, "card", {"card": card})

    async def _in_portal(self, session: str, act: str, form: Json) -> Json:
        return await self._post(f"/portal/{session.rpartition('/')[2]}/{act}", form)

    async def pause(self, subscription: str) -> Json:
        """Let it be `paused`, as after a trial without a card; the API resumes it."""
        return await self._post(f"/subscriptions/{subscription}/pause")
