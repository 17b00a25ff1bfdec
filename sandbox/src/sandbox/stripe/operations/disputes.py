"""Disputes (https://docs.stripe.com/api/disputes), which only banks open."""

from dataclasses import replace

from sandbox.stripe import disputing
from sandbox.stripe.call import Call
from sandbox.stripe.dispute_model import Dispute
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.thing import Json


def retrieve(call: Call) -> Dispute:
    return call.account.disputes.get(call.id)


def update(call: Call) -> Dispute:
    """Metadata and evidence, which is submitted unless `submit` is false."""
    params, before = call.params, retrieve(call)
    submit = params.boolean("submit") is not False
    evidence = params.plain("evidence") or {}
    changed = disputing.answer(dispute=before, evidence=evidence, submit=submit)
    changed = call.save(replace(changed, metadata=params.metadata(current=before.metadata)))
    call.emit("charge.dispute.updated", changed, before=before)
    disputing.judge_test_evidence(call=call, dispute=changed)
    return changed


def close(call: Call) -> Dispute:
    """Give in, as the seller: lost, or with an inquiry that is over."""
    dispute = retrieve(call)
    return disputing.close(call=call, dispute=dispute, status="warning_closed" if dispute.is_inquiry else "lost")


def list_(call: Call) -> Json:
    """Disputes by charge or payment intent."""
    account = call.account
    things = filtered(held=account.disputes, call=call, by="charge", known=account.charges)
    known = account.payment_intents
    things = filtered(held=account.disputes, call=call, by="payment_intent", known=known, rest=things)
    return page(call=call, things=things, url="/v1/disputes")
