"""What clients send and get for a session on Stripe's hosted pages."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from chassis.web import Body
from purchases.payments.checkout import HostedPage

Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
SETUP: Final[JsonDict] = {"return_url": "https://app.acme.example/services"}
SESSION: Final[JsonDict] = {
    "id": "cs_test_a1B2c3D4",
    "url": "https://checkout.stripe.com/c/pay/cs_test_a1B2c3D4",
}


class SetupSessionBody(Body):
    """Where the browser comes back to, whether a card was saved or not; on an allowed origin."""

    model_config = ConfigDict(json_schema_extra={"examples": [SETUP]})

    return_url: Url


class SessionReply(BaseModel):
    """A session at Stripe."""

    model_config = ConfigDict(json_schema_extra={"examples": [SESSION]})

    id: str
    url: str = Field(description="Where to send the browser")


def session_reply(page: HostedPage) -> SessionReply:
    return SessionReply(id=page.id, url=page.url)
