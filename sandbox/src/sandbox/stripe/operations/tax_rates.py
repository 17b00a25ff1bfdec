"""Tax rates (https://docs.stripe.com/api/tax_rates): a percentage that never changes."""

from dataclasses import replace

from sandbox.stripe.adjustments import TaxRate
from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import page
from sandbox.stripe.operations.coupons import required_percentage
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, parameter_missing
from sandbox.stripe.thing import Json

TEXTS = ("country", "description", "jurisdiction", "state", "tax_type")


def create(call: Call) -> TaxRate:
    """Create a rate; `inclusive` says whether an amount holds the tax already, or gets it on top."""
    params = call.params
    inclusive = params.boolean("inclusive")
    if inclusive is None:
        raise parameter_missing(param="inclusive")
    rate = TaxRate(
        id=new_id(prefix="txr"),
        created=call.now,
        display_name=params.required("display_name"),
        percentage=required_percentage(params, "percentage"),
        inclusive=inclusive,
    )
    rate = call.save(_changed(call=call, rate=rate))
    call.emit("tax_rate.created", rate)
    return rate


def retrieve(call: Call) -> TaxRate:
    return call.account.tax_rates.get(call.id)


def update(call: Call) -> TaxRate:
    """Change all but the percentage and whether it is inclusive."""
    before = retrieve(call)
    rate = call.save(_changed(call=call, rate=before))
    call.emit("tax_rate.updated", rate, before=before)
    return rate


def list_(call: Call) -> Json:
    """List by `active` and `inclusive`."""
    active, inclusive = call.params.boolean("active"), call.params.boolean("inclusive")
    things = call.account.tax_rates.newest_first()
    kept = (one for one in things if active in (None, one.active) and inclusive in (None, one.inclusive))
    return page(call=call, things=kept, url="/v1/tax_rates")


def rates_named(*, call: Call, params: Params, name: str, current: tuple[TaxRate, ...]) -> tuple[TaxRate, ...]:
    """Return the rates sent as the list `name`; none after an empty one; unchanged when nothing was sent."""
    if not params.has(name):
        return current
    rates = tuple(call.account.tax_rates.get(id_, param=name) for id_ in params.texts(name))
    archived = [rate.id for rate in rates if not rate.active]
    if archived:
        raise Refusal(f"The tax rate {archived[0]} is archived.", param=name)
    return rates


def _changed(*, call: Call, rate: TaxRate) -> TaxRate:
    params = call.params
    active = params.boolean("active")
    texts: Json = {name: params.unset_or_text(name, current=getattr(rate, name)) for name in TEXTS}
    return replace(
        rate,
        **texts,
        active=rate.active if active is None else active,
        display_name=params.text("display_name") or rate.display_name,
        metadata=params.metadata(current=rate.metadata),
    )
