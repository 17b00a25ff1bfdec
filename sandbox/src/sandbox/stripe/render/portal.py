"""How the Customer Portal's configurations and sessions look; the same in both eras, but for what came later."""

from sandbox.stripe.portal.model import PortalConfiguration, PortalSession
from sandbox.stripe.thing import Json
from sandbox.stripe.versions import Era


def configuration(thing: PortalConfiguration, era: Era) -> Json:
    """Render https://docs.stripe.com/api/customer_portal/configurations/object; its `products` when asked for."""
    update: Json = thing.features["subscription_update"]
    hidden = {"products"} if era is Era.BASIL else {"products", "billing_cycle_anchor", "trial_update_behavior"}
    shown = {name: value for name, value in update.items() if name not in hidden}
    return {
        "id": thing.id,
        "object": "billing_portal.configuration",
        "active": thing.active,
        "application": None,
        "business_profile": dict(thing.business_profile),
        "created": thing.created,
        "default_return_url": thing.default_return_url,
        "features": {**thing.features, "subscription_update": shown},
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": dict(thing.metadata),
        "updated": thing.updated,
    } | ({} if era is Era.LEGACY else {"name": thing.name})


def session(thing: PortalSession, era: Era) -> Json:
    """Render https://docs.stripe.com/api/customer_portal/sessions/object"""
    return {
        "id": thing.id,
        "object": "billing_portal.session",
        "configuration": thing.configuration,
        "created": thing.created,
        "customer": thing.customer,
        "flow": thing.flow,
        "livemode": False,
        "locale": thing.locale,
        "on_behalf_of": None,
        "return_url": thing.return_url,
        "url": thing.url,
    } | ({} if era is Era.LEGACY else {"customer_account": None})
