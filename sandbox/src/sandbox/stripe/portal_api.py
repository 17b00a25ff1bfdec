"""The control API under `/_sandbox`: what a customer does in the portal, without a browser."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import Route

from sandbox.stripe.account import Account
from sandbox.stripe.call import outside
from sandbox.stripe.control_http import as_endpoint, body_of
from sandbox.stripe.portal import pages
from sandbox.stripe.render import render
from sandbox.stripe.thing import Json


class Portal:
    """Its one path is every button of the page."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def routes(self) -> Sequence[Route]:
        """Return every path of this part of the control API."""
        return [Route("/_sandbox/portal/{id}/{act:str}", as_endpoint(self.act), methods=["POST"])]

    async def act(self, request: Request) -> Json:
        """POST /_sandbox/portal/{session}/{act} → the newest subscription; 402 for a card that is refused.

        `switch` {"price"}, `cancel` {"feedback"?, "comment"?}, `resume`, `card` {"card"}.
        """
        session = self.account.portal_sessions.get(request.path_params["id"])
        call, form = outside(self.account, session), await body_of(request)
        pages.perform(call=call, session=session, what=request.path_params["act"], form=form)
        newest = self.account.subscriptions.where("customer", session.customer)[:1]
        return render(newest[0], version=self.account.settings.api_version) if newest else {}
