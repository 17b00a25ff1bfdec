"""A walk through every operation that the sandbox knows, and the states in which its objects can be."""

from typing import Any

from tests.conformance.tour_billing import walk_billing
from tests.conformance.walker import Json, Walker


async def walk(walker: Walker) -> None:
    """Everything, in an order that makes sense."""
    await _catalog(walker)
    customer, card = await _customer(walker)
    await _invoices(walker, customer, card)
    await _adjusted_invoice(walker, customer, card)
    await _balance(walker)
    await _refused_payments(walker)
    await _intents(walker, customer, card)
    await _refunds(walker, customer, card)
    await _disputes(walker, customer, card)
    await _checkout(walker, customer)
    await walk_billing(walker)
    await _webhooks(walker)
    await _farewell(walker, customer, card)


async def _catalog(walker: Walker) -> None:
    product = await walker.post("/products", name="Setup", description="All of it", metadata={"a": "b"})
    price = await walker.post("/prices", product=product["id"], currency="eur", unit_amount=49900, lookup_key="setup")
    await walker.post(
        "/prices", currency="usd", unit_amount=900, product_data={"name": "Plan"}, recurring={"interval": "month"}
    )
    await walker.post(f"/products/{product['id']}", default_price=price["id"], active=True)
    await walker.get(f"/products/{product['id']}", expand=["default_price"])
    await walker.get("/products", active=True, limit=2)
    await walker.post(f"/prices/{price['id']}", nickname="once", active=False)
    await walker.get(f"/prices/{price['id']}", expand=["product"])
    await walker.get("/prices", lookup_keys=["setup"], type="one_time")
    spare = await walker.post("/products", name="Spare")
    await walker.delete(f"/products/{spare['id']}")


async def _customer(walker: Walker) -> tuple[str, str]:
    address = {"city": "Graz", "country": "AT", "line1": "Ring 1", "postal_code": "8010"}
    customer = await walker.post("/customers", email="o@example.com", name="Olga", address=address, metadata={"w": "1"})
    id_ = customer["id"]
    method = await walker.post("/payment_methods/pm_card_visa/attach", customer=id_)
    await walker.post(f"/customers/{id_}", invoice_settings={"default_payment_method": method["id"]})
    await walker.get(f"/customers/{id_}", expand=["invoice_settings.default_payment_method"])
    await walker.get("/customers", email="o@example.com", created={"gte": 1})
    await walker.get(f"/customers/{id_}/payment_methods", type="card")
    await walker.get(f"/customers/{id_}/payment_methods/{method['id']}")
    await walker.get("/payment_methods", customer=id_, type="card")
    made = await walker.post("/payment_methods", type="card", card={"token": "tok_visa"})
    await walker.post(f"/payment_methods/{made['id']}", metadata={"k": "v"})
    await walker.get(f"/payment_methods/{made['id']}")
    await walker.post(f"/payment_methods/{made['id']}/attach", customer=id_)
    await walker.post(f"/payment_methods/{made['id']}/detach")
    return id_, method["id"]


async def _open_invoice(walker: Walker, customer: str, *, amount: int = 49900, **more: Any) -> str:
    draft = await walker.post(
        "/invoices",
        customer=customer,
        currency="eur",
        auto_advance=False,
        collection_method="charge_automatically",
        pending_invoice_items_behavior="exclude",
        metadata={"purchase_id": "1"},
        **more,
    )
    item = {"customer": customer, "invoice": draft["id"], "amount": amount, "currency": "eur", "description": "Setup"}
    await walker.post("/invoiceitems", **item, metadata={"purchase_id": "1"})
    await walker.post(f"/invoices/{draft['id']}/finalize", auto_advance=False, expand=["payments"])
    return str(draft["id"])


async def _paid_invoice(walker: Walker, customer: str, card: str) -> Json:
    id_ = await _open_invoice(walker, customer)
    payments = ["payments.data.payment.payment_intent"]
    return await walker.post(f"/invoices/{id_}/pay", payment_method=card, off_session=True, expand=payments)


async def _invoices(walker: Walker, customer: str, card: str) -> None:
    paid = await _paid_invoice(walker, customer, card)
    intent = paid["payments"]["data"][0]["payment"]["payment_intent"]["id"]
    payment = {"type": "payment_intent", "payment_intent": intent}
    listed = await walker.get("/invoice_payments", payment=payment, limit=1)
    await walker.get(f"/invoice_payments/{listed['data'][0]['id']}", expand=["invoice"])
    await walker.get(f"/invoices/{paid['id']}", expand=["customer", "payments"])
    await walker.get(f"/invoices/{paid['id']}/lines", limit=5)
    await walker.get("/invoices", customer=customer, status="paid", created={"gte": 1})
    await walker.post(f"/invoices/{paid['id']}/void")
    voided = await _open_invoice(walker, customer)
    await walker.post(f"/invoices/{voided}", metadata={"k": "v"})
    await walker.post(f"/invoices/{voided}/mark_uncollectible")
    await walker.post(f"/invoices/{voided}/void")
    outside = await _open_invoice(walker, customer)
    await walker.post(f"/invoices/{outside}/pay", paid_out_of_band=True)
    await walker.get(f"/invoices/{outside}", expand=["amount_paid_off_stripe", "payments"])
    marked = await _open_invoice(walker, customer)
    await walker.control.pay_part(marked, amount=10_000)
    await walker.control.mark_paid(marked)
    await walker.get(f"/invoices/{marked}", expand=["amount_paid_off_stripe"])
    pending = await walker.post("/invoiceitems", customer=customer, amount=100, currency="eur", description="Pending")
    await walker.get(f"/invoiceitems/{pending['id']}")
    await walker.post(f"/invoiceitems/{pending['id']}", amount=200)
    await walker.get("/invoiceitems", customer=customer, pending=True)
    await walker.delete(f"/invoiceitems/{pending['id']}")
    draft = await walker.post("/invoices", customer=customer, description="Never mind")
    await walker.delete(f"/invoices/{draft['id']}")


async def _adjusted_invoice(walker: Walker, customer: str, card: str) -> None:
    coupon = await walker.post("/coupons", percent_off=12.5, duration="once", name="Eighth", metadata={"k": "v"})
    five = await walker.post("/coupons", amount_off=500, currency="eur", duration="forever")
    spare = await walker.post("/coupons", id="SPARE", percent_off=5)
    await walker.post(f"/coupons/{spare['id']}", name="Spare")
    await walker.get("/coupons", limit=2)
    await walker.get(f"/coupons/{coupon['id']}")
    await walker.delete(f"/coupons/{spare['id']}")
    vat = await walker.post("/tax_rates", display_name="VAT", percentage=20, inclusive=False, country="AT")
    held = await walker.post("/tax_rates", display_name="GST", percentage=5, inclusive=True)
    await walker.post(f"/tax_rates/{vat['id']}", description="Umsatzsteuer")
    await walker.get(f"/tax_rates/{vat['id']}")
    await walker.get("/tax_rates", active=True)
    both = [{"coupon": coupon["id"]}, {"coupon": five["id"]}]
    id_ = await _open_invoice(walker, customer, discounts=both, default_tax_rates=[vat["id"], held["id"]])
    await walker.get(f"/invoices/{id_}", expand=["discounts", "lines.data.discount_amounts.discount"])
    await walker.post(f"/invoices/{id_}/pay", payment_method=card)
    item = {"customer": customer, "amount": 100, "currency": "eur", "tax_rates": [vat["id"]]}
    await walker.post("/invoiceitems", **item)
    await walker.control.discount_customer(customer, coupon=five["id"])
    await walker.get(f"/customers/{customer}")
    await walker.delete(f"/customers/{customer}/discount")


async def _balance(walker: Walker) -> None:
    """Credit that is given, used by an invoice, given back by a void one; and a debt that was too small to charge."""
    customer = await walker.post("/customers", balance=-100)
    moves = f"/customers/{customer['id']}/balance_transactions"
    await walker.post(moves, amount=-49_900, currency="eur", description="Sorry", metadata={"k": "v"})
    for amount in (30_000, 30_000, 20):
        last = await _open_invoice(walker, customer["id"], amount=amount)
        await walker.get(f"/invoices/{last}")
        await walker.post(f"/invoices/{last}/void")
    listed = await walker.get(moves, limit=3)
    (newest, *_) = listed["data"]
    await walker.get(f"{moves}/{newest['id']}", expand=["customer", "invoice"])
    await walker.post(f"{moves}/{newest['id']}", metadata={"k": "w"})
    await walker.get(moves, invoice=newest["invoice"])
    await walker.get(f"{moves}/cbtxn_none")
    await walker.post(moves, currency="eur")
    await walker.post("/customers/cus_nobody/balance_transactions", amount=-1, currency="eur")


async def _refused_payments(walker: Walker) -> None:
    for card in ("pm_card_chargeCustomerFail", "pm_card_authenticationRequired"):
        customer = await walker.post("/customers", payment_method=card)
        (method,) = (await walker.get("/payment_methods", customer=customer["id"]))["data"]
        id_ = await _open_invoice(walker, customer["id"])
        refused = await walker.post(f"/invoices/{id_}/pay", payment_method=method["id"])
        intent = refused["error"]["payment_intent"]["id"]
        await walker.get(f"/payment_intents/{intent}", expand=["latest_charge", "customer"])
        await walker.post(
            f"/payment_intents/{intent}/confirm", payment_method=method["id"], return_url="https://app.example/back"
        )
        await walker.get(f"/payment_intents/{intent}")
        await walker.get("/charges", payment_intent=intent)
    await walker.control.authenticate(intent)
    await walker.get(f"/invoices/{id_}")
    for succeeded in (True, False):
        await _debit(walker, succeeded=succeeded)


async def _debit(walker: Walker, *, succeeded: bool) -> None:
    """A bank account that is charged, before and after the bank's word."""
    customer = await walker.post("/customers", email="o@example.com")
    owner = {"name": "Olga", "email": "o@example.com"}
    account = {"iban": "AT611904300234573201"}
    made = await walker.post("/payment_methods", type="sepa_debit", sepa_debit=account, billing_details=owner)
    await walker.post(f"/payment_methods/{made['id']}/attach", customer=customer["id"])
    id_ = await _open_invoice(walker, customer["id"])
    payments = ["payments.data.payment.payment_intent"]
    paid = await walker.post(f"/invoices/{id_}/pay", payment_method=made["id"], expand=payments)
    intent = paid["payments"]["data"][0]["payment"]["payment_intent"]
    await walker.get(f"/charges/{intent['latest_charge']}")
    await walker.post(f"/invoices/{id_}/void")
    await walker.control.settle_debit(intent["id"], succeeded=succeeded)
    await walker.get(f"/payment_intents/{intent['id']}", expand=["latest_charge"])
    await walker.get(f"/invoices/{id_}")


async def _intents(walker: Walker, customer: str, card: str) -> None:
    wanted: Json = {"amount": 1000, "currency": "eur", "customer": customer}
    intent = await walker.post("/payment_intents", **wanted, automatic_payment_methods={"enabled": True})
    await walker.post(f"/payment_intents/{intent['id']}", description="One", payment_method=card)
    await walker.post(f"/payment_intents/{intent['id']}/cancel", cancellation_reason="abandoned")
    await walker.post("/payment_intents", **wanted, payment_method=card, confirm=True, off_session=True)
    await walker.get("/payment_intents", customer=customer)


async def _charge_of(walker: Walker, invoice: Json) -> str:
    return str(invoice["payments"]["data"][0]["payment"]["payment_intent"]["latest_charge"])


async def _refunds(walker: Walker, customer: str, card: str) -> None:
    charge = await _charge_of(walker, await _paid_invoice(walker, customer, card))
    part = await walker.post("/refunds", charge=charge, amount=900, reason="requested_by_customer", metadata={"p": "1"})
    await walker.control.settle_refund(part["id"], status="failed")
    await walker.get(f"/refunds/{part['id']}", expand=["charge", "payment_intent"])
    await walker.post(f"/refunds/{part['id']}", metadata={"p": "2"})
    await walker.post("/refunds", charge=charge)
    await walker.post("/refunds", charge=charge)
    await walker.get("/refunds", charge=charge, limit=100)
    await walker.get(f"/charges/{charge}", expand=["refunds", "customer"])
    await walker.get(f"/charges/{charge}/refunds")
    await walker.post(f"/charges/{charge}", description="Refunded")
    slow = await walker.post("/payment_methods/pm_card_pendingRefund/attach", customer=customer)
    pending = await _charge_of(walker, await _paid_invoice(walker, customer, slow["id"]))
    refund = await walker.post("/refunds", charge=pending)
    await walker.get(f"/refunds/{refund['id']}")


async def _disputes(walker: Walker, customer: str, card: str) -> None:
    for end, inquiry in (("won", False), ("lost", False), ("warning_closed", True)):
        charge = await _charge_of(walker, await _paid_invoice(walker, customer, card))
        dispute = await walker.control.open_dispute(charge=charge, inquiry=inquiry)
        id_ = dispute["id"]
        await walker.post(f"/disputes/{id_}", evidence={"uncategorized_text": "It was delivered."}, metadata={"k": "v"})
        await walker.control.close_dispute(id_, status=end)
        await walker.get(f"/disputes/{id_}", expand=["charge", "payment_intent"])
    charge = await _charge_of(walker, await _paid_invoice(walker, customer, card))
    dispute = await walker.control.open_dispute(charge=charge)
    await walker.post("/refunds", charge=charge)
    await walker.post(f"/disputes/{dispute['id']}/close")
    await walker.post(f"/disputes/{dispute['id']}/close")
    await walker.get("/disputes", charge=charge)


async def _checkout(walker: Walker, customer: str) -> None:
    wanted: Json = {
        "mode": "setup",
        "customer": customer,
        "currency": "eur",
        "payment_method_types": ["card"],
        "success_url": "https://app.example/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://app.example/billing",
        "client_reference_id": "ws_1",
        "metadata": {"workspace_id": "ws_1"},
        "setup_intent_data": {"metadata": {"workspace_id": "ws_1"}},
    }
    done = await walker.post("/checkout/sessions", **wanted)
    await walker.control.complete_session(done["id"])
    await walker.get(f"/checkout/sessions/{done['id']}", expand=["setup_intent", "customer"])
    over = await walker.post("/checkout/sessions", **wanted)
    await walker.post(f"/checkout/sessions/{over['id']}/expire")
    await walker.post(f"/checkout/sessions/{over['id']}/expire")
    await walker.get("/checkout/sessions", customer=customer, status="open")
    await walker.get(f"/setup_intents/{done['setup_intent']}", expand=["payment_method"])
    await walker.get("/setup_intents", customer=customer)


async def _webhooks(walker: Walker) -> None:
    endpoint = await walker.post(
        "/webhook_endpoints", url="http://127.0.0.1:9/none", enabled_events=["invoice.paid"], metadata={"q": "1"}
    )
    await walker.post(f"/webhook_endpoints/{endpoint['id']}", disabled=True)
    await walker.get(f"/webhook_endpoints/{endpoint['id']}")
    await walker.get("/webhook_endpoints", limit=3)
    await walker.delete(f"/webhook_endpoints/{endpoint['id']}")
    events = await walker.get("/events", types=["invoice.paid", "refund.failed"], limit=3)
    await walker.get(f"/events/{events['data'][0]['id']}")
    await walker.get("/events", limit=100)


async def _farewell(walker: Walker, customer: str, card: str) -> None:
    await walker.delete(f"/customers/{customer}")
    await walker.get(f"/customers/{customer}")
    await walker.get("/customers/cus_nobody")
    await walker.post("/customers", colour="red")
    await walker.post("/refunds", amount=1)
