"""Products (https://docs.stripe.com/api/products)."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import page
from sandbox.stripe.model import Json, Product
from sandbox.stripe.refusals import Refusal

TEXTS = ("description", "statement_descriptor", "unit_label", "url", "default_price")


def create(call: Call) -> Product:
    """Make a product, with an id of the caller's choice if one is given."""
    named = call.params.text("id")
    if named and call.account.products.find(named):
        raise Refusal("Product already exists.", code="resource_already_exists", param="id")
    id_ = named or new_id(prefix="prod")
    product = Product(id=id_, created=call.now, name=call.params.required("name"), updated=call.now)
    product = call.save(_changed(call=call, product=product))
    call.emit("product.created", product)
    return product


def retrieve(call: Call) -> Product:
    return call.account.products.get(call.id)


def update(call: Call) -> Product:
    before = call.account.products.get(call.id)
    product = call.save(_changed(call=call, product=before))
    call.emit("product.updated", product, before=before)
    return product


def delete(call: Call) -> Json:
    """Delete the product, unless it has prices."""
    product = call.account.products.get(call.id)
    if call.account.prices.where("product", product.id):
        message = "This product cannot be deleted because it has one or more user-created prices."
        raise Refusal(message)
    call.account.products.remove(product)
    call.emit("product.deleted", product)
    return {"id": product.id, "object": "product", "deleted": True}


def list_(call: Call) -> Json:
    """List by `active` and `ids`."""
    active, ids = call.params.boolean("active"), call.params.texts("ids")
    things = call.account.products.newest_first()
    kept = (one for one in things if active in (None, one.active) and (not ids or one.id in ids))
    return page(call=call, things=kept, url="/v1/products")


def _changed(*, call: Call, product: Product) -> Product:
    active = call.params.boolean("active")
    texts: Json = {name: call.params.unset_or_text(name, current=getattr(product, name)) for name in TEXTS}
    return replace(
        product,
        **texts,
        name=call.params.text("name") or product.name,
        active=product.active if active is None else active,
        metadata=call.params.metadata(current=product.metadata),
        updated=call.now,
    )
