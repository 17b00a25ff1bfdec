"""A running stack, driven through its public interfaces as its users would: for the demo and for the journeys."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urljoin

import httpx

from sandbox.description import Description
from sandbox.inspector import Inspector
from sandbox.shop import Json, Shop, bearer
from sandbox.stripe.control import StripeControl

TEAM: Final = "team@quittance.test"


class NeverHappened(AssertionError):  # noqa: N818 - named for what it says
    """What was waited for did not come true in time."""


class Driver:
    """Everything that a user, a member of staff or Stripe could do to the stack, and what can be seen of it after."""

    def __init__(self, stack: Description) -> None:
        self.stack = stack
        self.http = httpx.AsyncClient(timeout=60, trust_env=False)
        self.stripe = StripeControl(stack.stripe_url)
        self.inspector = Inspector(stack)
        self.shops: list[Shop] = []
        """Every workspace that this driver registered."""
        self._staff_token = ""

    async def __aenter__(self) -> Self:
        self._staff_token = await self.token(sub="staff-1", email="staff@quittance.test", platform_role="super_admin")
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.inspector.close()
        await self.stripe.close()
        await self.http.aclose()

    # People

    async def token(self, **claims: Any) -> str:
        """Mint a token of the stack's issuer."""
        answer = await self.http.post(f"{self.stack.issuer_url}/token", json=claims)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    async def given_a_workspace(self, *, card: str | None = "pm_card_visa", name: str = "Acme") -> Shop:
        """Register a workspace whose owner has saved `card`, one of Stripe's test cards."""
        number = uuid.uuid4().hex[:12]
        workspace_id, owner_id, email = f"ws-{number}", f"user-{number}", f"owner-{number}@acme.test"
        host = await self.token(sub="host-product", email="host@acme.test", scope="workspaces:write")
        registered = await self.http.put(
            f"{self.stack.purchases_url}/v1/workspaces/{workspace_id}",
            json={"name": name, "owner": {"user_id": owner_id, "email": email}},
            headers=bearer(host),
        )
        registered.raise_for_status()
        customer_id = str(registered.json()["stripe_customer_id"])
        if card is not None:
            await self.save_card(customer_id, card)
        token = await self.token(sub=owner_id, email=email, workspaces={workspace_id: "owner"})
        shop = Shop(
            workspace_id=workspace_id,
            name=name,
            owner_id=owner_id,
            owner_email=email,
            customer_id=customer_id,
            token=token,
        )
        self.shops.append(shop)
        return shop

    async def save_card(self, customer_id: str, card: str) -> str:
        """Attach one of Stripe's test cards and make it the customer's default, as a setup Checkout would."""
        attached = await self.at_stripe(f"/v1/payment_methods/{card}/attach", {"customer": customer_id})
        method = str(attached["id"])
        await self.at_stripe(f"/v1/customers/{customer_id}", {"invoice_settings[default_payment_method]": method})
        return method

    # The catalog

    async def given_an_addon(self, *, price: str = "499.00", currency: str = "EUR", name: str | None = None) -> Json:
        """Create an active add-on that purchases knows of too."""
        name = name or f"Setup {uuid.uuid4().hex[:8]}"
        created = await self.staff("POST", "/v1/admin/addons", {"name": name, "price": price, "currency": currency})
        addon = await self.change_addon(created, is_active=True)
        await self.until(lambda: self._is_known(addon), f"purchases knows the add-on {addon['slug']}")
        return addon

    async def change_addon(self, addon: Json, **changes: Any) -> Json:
        """Edit an add-on as staff, with the version that was read."""
        found: Json = (await self._as_read("PATCH", addon, json=changes)).json()
        return found

    async def change_plan(self, slug: str, **changes: Any) -> Json:
        """Edit a plan as staff, with the version that was read."""
        url = f"{self.stack.catalog_url}/v1/admin/plans/{slug}"
        read = await self.http.get(url, headers=bearer(self._staff_token))
        read.raise_for_status()
        headers = bearer(self._staff_token) | {"If-Match": read.headers["etag"]}
        answer = await self.http.patch(url, headers=headers, json=changes)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def withdraw_addon(self, addon: Json) -> None:
        """Delete an add-on as staff, with the version that was read."""
        await self._as_read("DELETE", addon)

    async def _as_read(self, method: str, addon: Json, **request: Any) -> httpx.Response:
        url = f"{self.stack.catalog_url}/v1/admin/addons/{addon['id']}"
        read = await self.http.get(url, headers=bearer(self._staff_token))
        read.raise_for_status()
        headers = bearer(self._staff_token) | {"If-Match": read.headers["etag"]}
        answer = await self.http.request(method, url, headers=headers, **request)
        answer.raise_for_status()
        return answer

    async def staff(self, method: str, path: str, body: Json | None = None) -> Json:
        """Call the catalog or, for purchases, its staff API; raises for a refusal."""
        base = self.stack.purchases_url if "/purchases" in path else self.stack.catalog_url
        answer = await self.http.request(method, f"{base}{path}", json=body, headers=bearer(self._staff_token))
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def _is_known(self, addon: Json) -> bool:
        return await self.inspector.addon_version(addon["slug"]) == (addon["price_cents"], addon["is_active"])

    # Buying

    async def buy(
        self, shop: Shop, addon: Json, *, key: str | None = None, token: str | None = None, **body: Any
    ) -> httpx.Response:
        """Press «Buy now», with the price that the page shows."""
        seen = {
            "addon": addon["slug"],
            "expected_price_cents": addon["price_cents"],
            "expected_currency": addon["currency"],
        }
        return await self.http.post(
            f"{self.stack.purchases_url}/v1/workspaces/{shop.workspace_id}/purchases",
            json=seen | body,
            headers=bearer(token or shop.token) | {"Idempotency-Key": key or uuid.uuid4().hex},
        )

    async def purchase(self, shop: Shop, purchase_id: str) -> Json:
        """Return the purchase as its owner sees it."""
        return await self.get(f"/v1/workspaces/{shop.workspace_id}/purchases/{purchase_id}", token=shop.token)

    async def record(self, purchase_id: str) -> Json:
        """Return the purchase as staff sees it: with history, refunds and Stripe's ids."""
        return await self.get(f"/v1/admin/purchases/{purchase_id}", token=self._staff_token)

    async def get(self, path: str, *, token: str) -> Json:
        """Read from purchases; raises for a refusal."""
        answer = await self.http.get(f"{self.stack.purchases_url}{path}", headers=bearer(token))
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def deliver(self, purchase_id: str) -> Json:
        """Staff marks the work complete."""
        return await self.staff("POST", f"/v1/admin/purchases/{purchase_id}/deliver")

    async def cancel(self, shop: Shop, purchase_id: str, **body: Any) -> httpx.Response:
        """Cancel what was bought, as its owner."""
        path = f"/v1/workspaces/{shop.workspace_id}/purchases/{purchase_id}/cancel"
        return await self.http.post(f"{self.stack.purchases_url}{path}", json=body, headers=bearer(shop.token))

    async def move(self, purchase_id: str, what: str, **body: Any) -> Json:
        """Staff delivers, cancels, refunds or re-opens it here; raises for a refusal."""
        url = f"{self.stack.purchases_url}/v1/admin/purchases/{purchase_id}/{what}"
        headers = bearer(self._staff_token) | {"Idempotency-Key": uuid.uuid4().hex}
        answer = await self.http.post(url, json=body, headers=headers)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def press(self, page_url: str, button: str, **form: str) -> str:
        """Send a form of a page of Stripe's (the bank's, Checkout's, the portal's) as a browser would; where it leads.

        Raises NeverHappened where the page has no such button, or shows why it does not do that.
        """
        page = await self.http.get(page_url)
        page.raise_for_status()
        found = re.search(rf'action="([^"]*/{button})"', page.text)
        if found is None:
            raise NeverHappened(f"there is no «{button}» on {page_url}")
        answer = await self.http.post(urljoin(str(page.url), found[1]), data=form)
        if not answer.is_redirect:
            raise NeverHappened(f"«{button}» on {page_url}: {answer.status_code}")
        return str(answer.headers["location"])

    async def answer_bank(self, action_url: str, button: str = "authorise") -> str:
        """Press `authorise` or `fail` on the bank's page; where it sends the buyer back to."""
        return await self.press(action_url, button)

    async def refund(self, purchase: Json, *, amount: int | None = None) -> Json:
        """Refund in Stripe's Dashboard what paid the purchase: in full, or `amount` minor units."""
        record = await self.record(purchase["id"])
        return await self.stripe.refund_as_dashboard(invoice=record["stripe_invoice_id"], amount=amount)

    async def at_stripe(self, path: str, form: dict[str, str]) -> Json:
        """Call Stripe's API past the services, as the Dashboard or other software would; raises for a refusal."""
        answer = await self.http.post(
            f"{self.stack.stripe_url}{path}", data=form, headers=bearer(self.stack.stripe_secret_key)
        )
        answer.raise_for_status()
        found: Json = json.loads(answer.content)
        return found

    async def events_about(self, shop: Shop, type: str = "") -> list[Json]:  # noqa: A002 - Stripe's word
        """Stripe's events of this workspace's objects, oldest first; of one type where one is named."""
        events = await self.stripe.events()
        intents = {e["data"]["object"]["id"] for e in events if e["data"]["object"].get("customer") == shop.customer_id}
        ours = (e for e in events if _names(e["data"]["object"], {*intents, shop.customer_id}))
        return [event for event in ours if type in ("", event["type"])]

    async def replay(self, shop: Shop, *, copies: int = 2) -> None:
        """Deliver every event of this workspace again, each `copies` times, all at once; wait until nothing moves."""
        events = await self.events_about(shop)
        await asyncio.gather(*(self.stripe.resend(event["id"], copies=copies) for event in events))
        await self.settle()

    async def end_mishaps(self) -> None:
        """Stripe and its webhooks are well again; what was held is delivered."""
        await self.stripe.reset_faults()
        await self.stripe.reset_webhook_rules()
        await self.stripe.release_webhooks()

    # What came of it

    async def mails_naming(self, words: str) -> list[Json]:
        """Return the mails whose text holds `words`: a purchase's id, as a rule."""
        answer = await self.http.get(f"{self.stack.mailbox_url}/api/v1/search", params={"query": words, "limit": "100"})
        answer.raise_for_status()
        found: list[Json] = answer.json()["messages"]
        return found

    async def mails_to(self, address: str) -> list[Json]:
        """Return what the mail box holds for `address`, oldest first."""
        answer = await self.http.get(f"{self.stack.mailbox_url}/api/v1/messages", params={"limit": "10000"})
        answer.raise_for_status()
        mails = [m for m in answer.json()["messages"] if any(to["Address"] == address for to in m["To"])]
        return sorted(mails, key=lambda mail: str(mail["Created"]))

    async def mails_about(self, shop: Shop, *, to: str) -> list[Json]:
        """Return the mails to `to` whose text names this workspace's own add-on or id."""
        found = []
        for mail in await self.mails_to(to):
            whole = await self.http.get(f"{self.stack.mailbox_url}/api/v1/message/{mail['ID']}")
            if shop.workspace_id in whole.text:
                found.append(whole.json())
        return found

    async def settle(self, *, seconds: float = 60) -> None:
        """Return once nothing moves: webhooks, topics, outboxes, commands that are due, mails."""
        try:
            await self.until(self._still, "everything is quiet", seconds=seconds)
        except NeverHappened as never:
            raise NeverHappened(f"{never}: {await self._moving() or 'now it is'}") from None

    async def _still(self) -> bool:
        """Look twice, since a command to Stripe makes new webhooks behind the first look's back."""
        for _ in range(2):
            if await self._moving():
                return False
        return True

    async def _moving(self) -> str:
        return await self.inspector.moving() if await self.stripe.quiet(timeout=5) else "webhooks are on their way"

    async def until(
        self, condition: Callable[[], Awaitable[Any]], what: str, *, seconds: float = 30, pause: float = 0.05
    ) -> Any:
        """Wait until `condition` holds and return what it gave. Raises NeverHappened."""
        deadline = time.monotonic() + seconds
        while not (result := await condition()):
            if time.monotonic() > deadline:
                raise NeverHappened(f"not within {seconds:g} s: {what}")
            await asyncio.sleep(pause)
        return result


def _names(thing: Json, ids: set[str]) -> bool:
    """Return whether a Stripe object is, or refers to, one of `ids`."""
    fields = ("id", "customer", "payment_intent", "charge", "invoice")
    return any(isinstance(thing.get(name), str) and thing[name] in ids for name in fields)
