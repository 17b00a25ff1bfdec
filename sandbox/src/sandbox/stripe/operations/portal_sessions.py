"""Portal sessions (https://docs.stripe.com/api/customer_portal/sessions); the API only makes them."""

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.operations import customers
from sandbox.stripe.params import Params
from sandbox.stripe.portal.model import PortalSession
from sandbox.stripe.refusals import Refusal, parameter_invalid
from sandbox.stripe.thing import Json

FLOWS = ("payment_method_update", "subscription_cancel", "subscription_update")
ENDINGS = ("hosted_confirmation", "portal_homepage", "redirect")
NO_DEFAULT = (
    "No configuration provided and your test mode default configuration has not been created. Provide a configuration "
    "or create your default by saving your customer portal settings in test mode at "
    "https://dashboard.stripe.com/test/settings/billing/portal."
)


def create(call: Call) -> PortalSession:
    """Open a session of a configuration that must be named: there is no Dashboard to make a default one in."""
    params = call.params
    customer = customers.living(call=call, id=params.required("customer"))
    named = params.text("configuration")
    if named is None:
        raise Refusal(NO_DEFAULT)
    configuration = call.account.portal_configurations.get(named, param="configuration")
    if not configuration.active:
        raise Refusal("The configuration is inactive.", param="configuration")
    id_ = new_id(prefix="bps")
    return call.save(
        PortalSession(
            id=id_,
            created=call.now,
            configuration=configuration.id,
            customer=customer.id,
            return_url=_address(params, "return_url") or configuration.default_return_url,
            url=f"{call.account.settings.public_url}/p/session/{id_}",
            locale=params.text("locale"),
            flow=_flow(call=call, customer=customer.id) if params.has("flow_data") else None,
        )
    )


def _flow(*, call: Call, customer: str) -> Json:
    sent = call.params.nested("flow_data")
    sent.required("type")
    type_ = sent.choice("type", among=FLOWS) or ""
    named: Json = dict.fromkeys(("subscription_cancel", "subscription_update"))
    if type_ in named:
        subscription = sent.nested(type_).required("subscription")
        found = call.account.subscriptions.get(subscription, param=f"flow_data[{type_}][subscription]")
        if found.is_over or found.customer != customer:
            raise Refusal("This subscription cannot be managed in this session.", param=f"flow_data[{type_}]")
        named[type_] = {"subscription": found.id} | ({"retention": None} if type_ == "subscription_cancel" else {})
    return {"after_completion": _ending(sent.nested("after_completion")), **named, "type": type_} | {
        "customer_update": None,
        "subscription_update_confirm": None,
    }


def _ending(sent: Params) -> Json:
    type_ = sent.choice("type", among=ENDINGS) or "portal_homepage"
    redirect = {"return_url": sent.nested("redirect").required("return_url")} if type_ == "redirect" else None
    confirmation = {"custom_message": sent.nested("hosted_confirmation").text("custom_message")}
    return {
        "hosted_confirmation": confirmation if type_ == "hosted_confirmation" else None,
        "redirect": redirect,
        "type": type_,
    }


def _address(params: Params, name: str) -> str | None:
    address = params.text(name)
    if address and not address.startswith(("http://", "https://")):
        raise parameter_invalid("Not a valid URL", param=name, code="url_invalid")
    return address
