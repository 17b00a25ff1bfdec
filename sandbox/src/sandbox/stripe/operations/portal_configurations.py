"""Portal configurations (https://docs.stripe.com/api/customer_portal/configurations)."""

from dataclasses import replace
from typing import Any

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import page
from sandbox.stripe.operations.portal_features import features_sent
from sandbox.stripe.portal.model import PortalConfiguration
from sandbox.stripe.refusals import parameter_missing
from sandbox.stripe.thing import Json

PROFILE = ("headline", "privacy_policy_url", "terms_of_service_url")


def create(call: Call) -> PortalConfiguration:
    """Create a configuration; what is not named in `features` is disabled."""
    if not call.params.has("features"):
        raise parameter_missing(param="features")
    empty = PortalConfiguration(
        id=new_id(prefix="bpc"),
        created=call.now,
        updated=call.now,
        features={},
        business_profile=dict.fromkeys(PROFILE),
    )
    made = call.save(_changed(call=call, configuration=empty))
    call.emit("billing_portal.configuration.created", made)
    return made


def retrieve(call: Call) -> PortalConfiguration:
    return call.account.portal_configurations.get(call.id)


def update(call: Call) -> PortalConfiguration:
    """Replace as a whole each feature that is sent; others stay."""
    before = retrieve(call)
    changed = call.save(_changed(call=call, configuration=before))
    call.emit("billing_portal.configuration.updated", changed, before=before)
    return changed


def list_(call: Call) -> Json:
    """List by `active`; none made here is the default one, which is the Dashboard's."""
    active, default = call.params.boolean("active"), call.params.boolean("is_default")
    things: Any = call.account.portal_configurations.newest_first() if default is not True else ()
    kept = (one for one in things if active in (None, one.active))
    return page(call=call, things=kept, url="/v1/billing_portal/configurations")


def _changed(*, call: Call, configuration: PortalConfiguration) -> PortalConfiguration:
    params = call.params
    active = params.boolean("active")
    profile = params.nested("business_profile")
    texts = {name: profile.unset_or_text(name, current=configuration.business_profile[name]) for name in PROFILE}
    return replace(
        configuration,
        metadata=params.metadata(current=configuration.metadata),
        features=features_sent(call=call, current=configuration.features),
        active=configuration.active if active is None else active,
        default_return_url=params.unset_or_text("default_return_url", current=configuration.default_return_url),
        name=params.unset_or_text("name", current=configuration.name),
        business_profile=texts,
        updated=call.now,
    )
