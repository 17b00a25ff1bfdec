"""The owner of a workspace and what he does about its plan: through our API, on Stripe's pages, past Stripe's clock."""

from collections.abc import Sequence
from typing import Any, Final, Self
from uuid import uuid4

import httpx

from sandbox.demo.harness import Harness, Subscribed
from sandbox.shop import Shop, bearer

Json = dict[str, Any]
HOME: Final = "http://localhost:3000/billing"


class Subscriber:
    """Plays one workspace; what is seen of its plan and its cap goes to the harness."""

    def __init__(self, harness: Harness, shop: Shop) -> None:
        self._harness = harness
        self._driver = harness.driver
        self.shop = shop
        self._usage: list[str] = []

    @classmethod
    async def given(cls, harness: Harness, *, name: str) -> Self:
        """Register a workspace on the free plan, without a card."""
        return cls(harness, await harness.driver.given_a_workspace(card=None, name=name))

    async def checks_out(self, *, interval: str = "month", addons: Sequence[Json] = ()) -> None:
        """Buy the plan, and these add-ons, on Stripe's page."""
        wanted = {"plan": "builder", "interval": interval, "addons": [addon["slug"] for addon in addons]}
        urls = {"success_url": HOME, "cancel_url": HOME}
        page = await self._call("POST", "/checkout-sessions", wanted | urls)
        await self._driver.press(page["url"], "pay", card="visa")
        await self.until(plan="builder", status="active")

    async def in_the_portal(self, button: str, **form: str) -> None:
        """Press a button of Stripe's Customer Portal."""
        page = await self._call("POST", "/portal-sessions", {"cancel": "at_period_end"})
        await self._driver.press(page["url"], button, **form)

    async def claims(self, *projects: str) -> None:
        """Ask for slots of the plan's cap, as the host product does before it creates something; note the outcome."""
        refused = [project for project in projects if not await self._claim(project)]
        usage = next(one for one in (await self.billing())["usage"] if one["resource"] == "projects")
        used = f"{usage['used']} of {usage['limit'] or 'any number'}"
        self._usage.append(f"{used}, {len(refused)} refused" if refused else used)

    async def card_goes_bad(self) -> None:
        """Have the card that pays for the plan declined from now on."""
        subscription = await self._subscription()
        await self._driver.stripe.change_card(subscription["default_payment_method"], "chargeCustomerFail")

    async def period_ends(self) -> None:
        """Time passes at Stripe for this customer, until the paid period is over and an hour more."""
        await self._driver.stripe.renew((await self._subscription())["id"])

    async def purchases(self) -> list[Json]:
        """Return what the workspace has bought."""
        found: list[Json] = (await self._call("GET", "/purchases"))["purchases"]
        return found

    async def billing(self) -> Json:
        """Return the plan as everyone in the workspace sees it."""
        return await self._call("GET", "/billing")

    async def until(self, *, plan: str, status: str, end_is_planned: bool = False) -> None:
        """Wait until the billing page says so."""

        async def arrived() -> bool:
            seen = await self.billing()
            now = seen["subscription"] or {"status": None, "cancel_at_period_end": False}
            shown = seen["plan"]["slug"], now["status"], now["cancel_at_period_end"]
            return shown == (plan, status, end_is_planned)

        await self._driver.until(arrived, f"{self.shop.name} has {plan}, {status}")

    async def until_mailed(self, subject: str) -> None:
        """Wait until the owner has a mail whose subject begins so."""

        async def arrived() -> bool:
            mails = await self._driver.mails_to(self.shop.owner_email)
            return any(mail["Subject"].startswith(subject) for mail in mails)

        await self._driver.until(arrived, f"the owner of {self.shop.name} is mailed: {subject}")

    def ends(self, *, plan: str, status: str) -> None:
        """Note how it must stay."""
        usage = " → ".join(self._usage) or "–"
        self._harness.subscribed.append(
            Subscribed(what=self._harness.title, shop=self.shop, plan=plan, status=status, usage=usage)
        )

    async def _claim(self, project: str) -> bool:
        answer = await self._ask("PUT", f"/resources/projects/{project}")
        if answer.status_code == 403 and answer.json()["type"].endswith("/LIMIT_REACHED"):
            return False
        answer.raise_for_status()
        return True

    async def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        answer = await self._ask(method, path, body)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def _ask(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        url = f"{self._driver.stack.purchases_url}/v1/workspaces/{self.shop.workspace_id}{path}"
        headers = bearer(self.shop.token) | {"Idempotency-Key": uuid4().hex}
        return await self._driver.http.request(method, url, json=body, headers=headers)

    async def _subscription(self) -> Json:
        subscriptions = (await self._driver.stripe.objects(kind="subscription"))["subscription"]
        return next(one for one in subscriptions if one["customer"] == self.shop.customer_id)
