"""The walk's second half: subscriptions through their life, Checkout that sells, the Customer Portal."""

from typing import Any

from tests.conformance.walker import Json, Walker

MONTH = 32 * 24 * 3600


async def walk_billing(walker: Walker) -> None:
    """A plan, what is done with it by the API, by buyers, by time."""
    product = await walker.post("/products", name="Builder")
    monthly = await _price(walker, product, amount=900, interval="month")
    yearly = await _price(walker, product, amount=8900, interval="year")
    await _subscription(walker, monthly, yearly)
    await _trial(walker, monthly)
    await _dunning(walker, monthly)
    await _selling(walker, monthly)
    await _portal(walker, product["id"], [monthly, yearly])


async def _price(walker: Walker, product: Json, *, amount: int, interval: str) -> str:
    price = await walker.post(
        "/prices", product=product["id"], currency="eur", unit_amount=amount, recurring={"interval": interval}
    )
    return str(price["id"])


async def _customer(walker: Walker, card: str = "pm_card_visa") -> str:
    customer = await walker.post("/customers", email="s@example.com")
    method = await walker.post(f"/payment_methods/{card}/attach", customer=customer["id"])
    await walker.post(f"/customers/{customer['id']}", invoice_settings={"default_payment_method": method["id"]})
    return str(customer["id"])


async def _begin(walker: Walker, customer: str, price: str, **more: Any) -> Json:
    items = [{"price": price, "quantity": 1, "metadata": {"k": "v"}}]
    return await walker.post("/subscriptions", customer=customer, items=items, metadata={"w": "1"}, **more)


async def _subscription(walker: Walker, monthly: str, yearly: str) -> None:
    customer = await _customer(walker)
    id_ = (await _begin(walker, customer, monthly, description="Builder"))["id"]
    await walker.post("/invoices/create_preview", subscription=id_)
    await walker.get(f"/subscriptions/{id_}", expand=["latest_invoice", "default_payment_method", "customer"])
    await walker.get("/subscriptions", customer=customer, status="all", price=monthly)
    items = await walker.get("/subscription_items", subscription=id_)
    item = items["data"][0]["id"]
    await walker.post(f"/subscriptions/{id_}", cancel_at_period_end=True)
    await walker.post(f"/subscriptions/{id_}", cancel_at_period_end=False, pause_collection={"behavior": "void"})
    await walker.control.renew(id_)
    await walker.post(f"/subscriptions/{id_}", pause_collection="")
    await walker.control.renew(id_)
    switched = [{"id": item, "price": yearly}]
    await walker.post(f"/subscriptions/{id_}", items=switched, proration_behavior="always_invoice")
    more = [{"id": item, "quantity": 2}]
    await walker.post(f"/subscriptions/{id_}", items=more, proration_behavior="create_prorations")
    await walker.get("/invoiceitems", customer=customer, pending=True)
    await walker.get("/invoices", subscription=id_, customer=customer)
    await walker.delete(f"/subscriptions/{id_}")
    await walker.delete(f"/subscriptions/{id_}")


async def _trial(walker: Walker, price: str) -> None:
    customer = str((await walker.post("/customers"))["id"])
    ending = {"end_behavior": {"missing_payment_method": "pause"}}
    id_ = (await _begin(walker, customer, price, trial_period_days=7, trial_settings=ending))["id"]
    await walker.control.renew(id_)
    await walker.get(f"/subscriptions/{id_}")
    await walker.post(f"/subscriptions/{id_}/resume")
    await walker.control.pause(id_)


async def _dunning(walker: Walker, price: str) -> None:
    customer = await _customer(walker)
    subscription = await _begin(walker, customer, price)
    (method,) = (await walker.get("/payment_methods", customer=customer))["data"]
    await walker.control.change_card(method["id"], "chargeCustomerFail")
    await walker.control.renew(subscription["id"])
    await walker.get(f"/subscriptions/{subscription['id']}", expand=["latest_invoice"])
    await walker.control.exhaust_retries(subscription["id"])
    await walker.get(f"/subscriptions/{subscription['id']}", expand=["latest_invoice.payments"])
    unlucky = await _customer(walker, "pm_card_chargeCustomerFail")
    await _begin(walker, unlucky, price)
    await walker.control.advance(customer=unlucky, seconds=MONTH)


async def _selling(walker: Walker, price: str) -> None:
    customer = await walker.post("/customers", email="b@example.com", name="Berta")
    setup = {"currency": "eur", "unit_amount": 49900, "product_data": {"name": "Setup", "metadata": {"k": "v"}}}
    wanted: Json = {
        "mode": "subscription",
        "customer": customer["id"],
        "payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "line_items": [{"price": price, "quantity": 1}, {"price_data": setup, "quantity": 1}],
        "success_url": "https://app.example/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://app.example/billing",
        "client_reference_id": "ws_1",
        "metadata": {"workspace_id": "ws_1"},
        "subscription_data": {"metadata": {"workspace_id": "ws_1"}, "description": "Builder"},
    }
    made = await walker.post("/checkout/sessions", **wanted)
    done = await walker.control.complete_session(made["id"], card="threeDSecure2Required")
    found = ["subscription", "invoice.payments", "line_items", "customer"]
    await walker.get(f"/checkout/sessions/{made['id']}", expand=found)
    await walker.get(f"/checkout/sessions/{made['id']}/line_items", limit=1)
    await walker.get("/checkout/sessions", subscription=done["subscription"])
    over = await walker.post("/checkout/sessions", **wanted)
    await walker.post(f"/checkout/sessions/{over['id']}/expire")
    once = {**wanted, "mode": "payment", "line_items": [{"price_data": setup, "quantity": 2}]}
    del once["subscription_data"]
    paid = await walker.post("/checkout/sessions", **once, payment_intent_data={"metadata": {"k": "v"}})
    await walker.control.complete_session(paid["id"])
    await walker.get(f"/checkout/sessions/{paid['id']}", expand=["payment_intent"])


async def _portal(walker: Walker, product: str, prices: list[str]) -> None:
    customer = await _customer(walker)
    subscription = await _begin(walker, customer, prices[0])
    reason = {"enabled": True, "options": ["too_expensive", "other"]}
    update = {
        "enabled": True,
        "default_allowed_updates": ["price"],
        "proration_behavior": "always_invoice",
        "products": [{"product": product, "prices": prices}],
    }
    features = {
        "customer_update": {"enabled": True, "allowed_updates": ["email", "address"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end", "cancellation_reason": reason},
        "subscription_update": update,
    }
    made = await walker.post(
        "/billing_portal/configurations",
        features=features,
        default_return_url="https://app.example/billing",
        business_profile={"headline": "Builder"},
        metadata={"k": "v"},
    )
    path = f"/billing_portal/configurations/{made['id']}"
    await walker.get(path, expand=["features.subscription_update.products"])
    await walker.get("/billing_portal/configurations", active=True, limit=2)
    cancel = {"enabled": True, "mode": "immediately", "proration_behavior": "none"}
    await walker.post(path, features={"subscription_cancel": cancel}, active=True)
    session = {"customer": customer, "configuration": made["id"], "return_url": "https://app.example/billing"}
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": subscription["id"]}}
    back = {"type": "redirect", "redirect": {"return_url": "https://app.example/back"}}
    await walker.post("/billing_portal/sessions", **session, flow_data={**flow, "after_completion": back})
    await walker.post("/billing_portal/sessions", customer=customer)
    opened = await walker.post("/billing_portal/sessions", **session, expand=["configuration"])
    await walker.control.portal_switch(opened["id"], price=prices[1])
    await walker.control.portal_update_card(opened["id"], card="mastercard")
    await walker.control.portal_cancel(opened["id"])
