"""What the Customer Portal is made of: a configuration, and a session of one customer under it."""

from dataclasses import dataclass, field
from typing import ClassVar

from sandbox.stripe.thing import Json, Thing


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalConfiguration(Thing):
    """`features` is complete, as the API shows it, with `products` of `subscription_update`."""

    kind: ClassVar[str] = "billing_portal.configuration"

    features: Json
    active: bool = True
    default_return_url: str | None = None
    name: str | None = None
    business_profile: Json = field(default_factory=dict)
    updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSession(Thing):
    """`flow` is what the page is reduced to, if anything."""

    kind: ClassVar[str] = "billing_portal.session"

    configuration: str
    customer: str
    return_url: str | None
    url: str
    locale: str | None = None
    flow: Json | None = None
