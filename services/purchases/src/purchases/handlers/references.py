"""By which ids a fact names its purchase."""

from contracts import Fact
from contracts import stripe_facts as told


def references_of(fact: Fact) -> list[str]:
    """The ids by which the purchase is looked for, the surest first (SPEC §4)."""
    match fact:
        case told.InvoiceFact():
            lines = [line.purchase_id for line in fact.lines]
            ids = [fact.invoice_id, fact.purchase_id, *lines]
        case told.InvoicePaymentLinked():
            ids = [fact.invoice_id, fact.payment_intent_id]
        case told.ChargeRefunded():
            ids = [fact.payment_intent_id, fact.invoice_id, fact.charge_id, fact.purchase_id]
        case told.RefundChanged():
            ids = [fact.payment_intent_id, fact.charge_id, fact.purchase_id]
        case _:
            ids = []
    return [one for one in ids if one]
