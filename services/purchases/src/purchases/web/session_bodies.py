"""What clients send and get for a session on Stripe's hosted pages."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from chassis.web.web import Body

MOST_ADDONS: Final = 20
"""As many one-time items as a Checkout of Stripe's takes besides the plan."""
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=64)]
SETUP: Final[JsonDict] = {"return_url": "https://app.acme.example/services"}
CHECKOUT: Final[JsonDict] = {
    "plan": "builder",
    "interval": "month",
    "currency": "EUR",
    "addons": ["professional-ai-setup"],
    "success_url": "https://app.acme.example/welcome",
    "cancel_url": "https://app.acme.example/pricing",
}
PORTAL: Final[JsonDict] = {"return_url": "https://app.acme.example/billing", "cancel": "at_period_end"}
PORTAL_SESSION: Final[JsonDict] = {"url": "https://billing.stripe.com/p/session/test_a1B2c3D4"}
SESSION: Final[JsonDict] = {
    "id": "cs_test_a1B2c3D4",
    "url": "https://checkout.stripe.com/c/pay/cs_test_a1B2c3D4",
}


def _each_once(slugs: list[str]) -> list[str]:
    if len(set(slugs)) < len(slugs):
        raise ValueError("an add-on is named twice")
    return slugs


class SetupSessionBody(Body):
    """Where the browser comes back to, whether a card was saved or not; on an allowed origin."""

    model_config = ConfigDict(json_schema_extra={"examples": [SETUP]})

    return_url: Url


class CheckoutSessionBody(Body):
    """The plan to buy, with add-ons of its currency; both URLs on an allowed origin."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHECKOUT]})

    plan: Slug
    interval: Literal["month", "year"]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$", to_upper=True)] | None = None
    addons: Annotated[list[Slug], Field(default_factory=list, max_length=MOST_ADDONS), AfterValidator(_each_once)]
    success_url: Url
    cancel_url: Url


class PortalSessionBody(Body):
    """Where the portal leads back to (our billing page, where nothing is said), and what cancelling in it means."""

    model_config = ConfigDict(json_schema_extra={"examples": [PORTAL]})

    return_url: Url | None = None
    cancel: Literal["at_period_end", "immediately"] = "at_period_end"


class PortalReply(BaseModel):
    """A session of the portal."""

    model_config = ConfigDict(json_schema_extra={"examples": [PORTAL_SESSION]})

    url: str = Field(description="Where to send the browser")


class SessionReply(BaseModel):
    """A session at Stripe."""

    model_config = ConfigDict(json_schema_extra={"examples": [SESSION]})

    id: str
    url: str = Field(description="Where to send the browser")
