"""The way back from a bank: what Stripe adds to the address is read once, and its secret is kept nowhere."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages.routes import PageRoute
from chassis.pages.site import see_other
from purchases.ledger import search
from purchases.ledger.search import PurchaseQuery
from purchases.web.pages.awaited import answer_of
from purchases.web.pages.paths import about, services_path

SECRET: Final = "payment_intent_client_secret"  # noqa: S105 - its name
FROM_STRIPE: Final = frozenset({"payment_intent", "redirect_status"})
"""What Stripe adds besides the secret."""
INTENT: Final = re.compile(r"pi_[A-Za-z0-9_]{1,250}", re.ASCII)


class WithoutTheSecret(PageRoute):
    """The page's own address without the secret, before anybody is asked to sign in and to come back to it."""

    def get_route_handler(self) -> Any:
        """Return the page's handler, behind a redirect that needs no session."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            if SECRET not in request.query_params:
                response: Response = await handle(request)
                return response
            kept = [(name, value) for name, value in request.query_params.multi_items() if name != SECRET]
            return see_other(f"{services_path(request.path_params['ws'])}?{urlencode(kept)}")

        return handled


async def back_from_the_bank(database: Database, workspace_id: str, said: Mapping[str, str]) -> str | None:
    """Return the page with news of the purchase that was being paid; None for an address that no bank led to."""
    if not FROM_STRIPE & said.keys():
        return None
    intent = said.get("payment_intent", "")
    if not INTENT.fullmatch(intent):
        return services_path(workspace_id)
    async with database.reading() as session:
        query = PurchaseQuery(workspace_id=workspace_id, stripe_id=intent)
        purchase = next(iter(await search.page(session, query, after=None, limit=1)), None)
    if purchase is None:
        return services_path(workspace_id)
    return about(workspace_id, purchase.id, answer_of(said.get("redirect_status")))
