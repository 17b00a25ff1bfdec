"""Jobs as rows of `stripe_commands`: what earlier versions wrote is read, and they read what this one writes."""

import json
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from purchases.jobs import kinds
from purchases.jobs.job import Job, UnreadableJob
from purchases.jobs.store import key_of
from purchases.worker.jobs import JOBS, KINDS

Json = dict[str, Any]
BEFORE: Final[list[Json]] = json.loads((Path(__file__).parents[2] / "fixtures/before/stripe_commands.json").read_text())
ID: Final = uuid.UUID("0197a1f0-0000-7000-8000-000000000001")
OTHER: Final = uuid.UUID("0197a1f0-0000-7000-8000-000000000002")
OF_MONEY: Final = {"purchase_id": str(ID), "invoice_id": "in_1"}
OF_INVOICE: Final = {"purchase_ids": [str(ID), str(OTHER)], "amount_paid": 4900, "currency": "EUR"}
WRITTEN: Final[list[tuple[Job, str, str, Json]]] = [
    (kinds.ReconcilePurchase(purchase_id=ID), "settle", str(ID), {}),
    (kinds.VoidInvoice(purchase_id=ID), "void", str(ID), {}),
    (
        kinds.SyncInvoice(invoice_id="in_1", purchase_ids=(ID, OTHER), amount_paid=4900, currency="EUR"),
        "look_at_invoice",
        "in_1",
        OF_INVOICE,
    ),
    (
        kinds.SyncPayment(invoice_id="in_1", purchase_ids=(ID, OTHER), amount_paid=4900, currency="EUR"),
        "look_at_payment",
        "in_1",
        OF_INVOICE,
    ),
    (
        kinds.SyncRefunds(payment="pi_1", purchase_id=ID, currency="EUR"),
        "look_at_charge",
        "pi_1",
        {"purchase_id": str(ID), "currency": "EUR"},
    ),
    (
        kinds.MatchRefundToPayment(payment_intent_id="pi_1", charge_id="ch_1"),
        "identify",
        "pi_1",
        {"payment_intent_id": "pi_1", "charge_id": "ch_1"},
    ),
    (
        kinds.MatchRefundToPayment(payment_intent_id=None, charge_id="ch_1"),
        "identify",
        "ch_1",
        {"payment_intent_id": None, "charge_id": "ch_1"},
    ),
    (
        kinds.RefundUnmatchedPayment(purchase_id=ID, invoice_id="in_1", amount=4900),
        "return_payment",
        f"{ID}:in_1",
        OF_MONEY | {"amount": 4900},
    ),
    (
        kinds.RefundUnmatchedPayment(purchase_id=ID, invoice_id="in_1", amount=4900, attempt=2),
        "return_payment",
        f"{ID}:in_1",
        OF_MONEY | {"amount": 4900, "attempt": 2},
    ),
    (kinds.MakeRefund(refund_id=OTHER, purchase_id=ID, invoice_id="in_1"), "refund", str(OTHER), OF_MONEY),
    (kinds.ReturnCredit(refund_id=OTHER, purchase_id=ID, invoice_id="in_1"), "return_credit", str(OTHER), OF_MONEY),
    (kinds.AdoptCard(workspace_id="ws"), "adopt_card", "ws", {}),
    (kinds.RenameProduct(addon_id=ID), "rename_product", str(ID), {}),
    (kinds.ProvisionPlan(plan="builder"), "provision_plan", "builder", {}),
    (kinds.Reconcile(instance="prod"), "sweep", "prod", {}),
    (kinds.ReconcileDay(day=date(2026, 2, 3)), "sweep_day", "2026-02-03", {}),
    (kinds.ReconcileSubscriptions(instance="prod"), "sweep_subscriptions", "prod", {}),
    (kinds.ReconcileReach(reach="hour"), "sweep_reach", "hour", {}),
    (
        kinds.ReconcileSubscription(subscription_id="sub_1", workspace_id="ws"),
        "sweep_subscription",
        "sub_1",
        {"workspace_id": "ws"},
    ),
    (kinds.ReconcilePeriods(instance="prod"), "sweep_periods", "prod", {}),
    (kinds.ReconcileCheckout(checkout_id=ID), "settle_checkout", str(ID), {}),
    (kinds.ReconcileCheckout(checkout_id=ID, heard="cs_1"), "settle_checkout", str(ID), {"heard": "cs_1"}),
    (
        kinds.SyncSubscription(subscription_id="sub_1", workspace_id="ws"),
        "look_at_subscription",
        "sub_1",
        {"workspace_id": "ws"},
    ),
    (
        kinds.SyncSubscription(subscription_id="sub_1", workspace_id="ws", said="active"),
        "look_at_subscription",
        "sub_1",
        {"workspace_id": "ws", "said": "active"},
    ),
    (
        kinds.FetchNextCharge(subscription_id="sub_1", workspace_id="ws"),
        "fetch_next_charge",
        "sub_1",
        {"workspace_id": "ws"},
    ),
    (
        kinds.SyncRenewal(invoice_id="in_1", subscription_id="sub_1", workspace_id="ws"),
        "look_at_renewal",
        "in_1",
        {"subscription_id": "sub_1", "workspace_id": "ws"},
    ),
    (kinds.AdoptSubscriptions(workspace_id="ws"), "adopt_subscriptions", "ws", {}),
    (kinds.CompareSubscriptions(workspace_id="ws"), "compare_subscriptions", "ws", {}),
    (
        kinds.EndSubscription(subscription_id="sub_1", workspace_id="ws"),
        "end_subscription",
        "sub_1",
        {"workspace_id": "ws"},
    ),
    (
        kinds.EndUnfinished(subscription_id="sub_1", workspace_id="ws", reason=kinds.CAME_LATE),
        "end_unfinished",
        "sub_1",
        {"workspace_id": "ws", "reason": kinds.CAME_LATE},  # without it earlier versions take the other reason
    ),
]


def _kinds(of: type[Job] = Job) -> Iterator[type[Job]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)


def test_every_kind_of_job_has_a_word_and_a_worker_of_its_own() -> None:
    found = set(_kinds())

    assert {job.__name__ for job in JOBS} == {kind.__name__ for kind in found}
    assert len(KINDS) == len(JOBS)


def test_every_kind_is_in_this_table() -> None:
    assert {type(job) for job, *_ in WRITTEN} == set(JOBS)


@pytest.mark.parametrize(("job", "kind", "subject", "arguments"), WRITTEN, ids=lambda value: type(value).__name__)
def test_a_job_is_written_as_earlier_versions_read_it(job: Job, kind: str, subject: str, arguments: Json) -> None:
    assert (kind, subject, arguments) == (job.KIND, job.subject, job.arguments)
    assert f"{kind}:{subject}" == key_of(type(job), job.subject)
    assert job == type(job).read(subject, json.loads(json.dumps(arguments)))


@pytest.mark.parametrize("row", BEFORE, ids=lambda row: "-".join((row["kind"], *row["arguments"])))
def test_what_an_earlier_version_wrote_says_the_same_when_it_is_written_anew(row: Json) -> None:
    ids = {"purchase": str(ID), "refund": str(OTHER), "addon": str(ID), "checkout": str(ID), "today": "2026-02-03"}
    text = json.dumps(row)
    for name, value in ids.items():
        text = text.replace(f"<{name}>", value)
    row = json.loads(text.replace("<", "").replace(">", ""))

    job = KINDS[row["kind"]].read(row["subject"], row["arguments"])

    assert row["subject"] == job.subject
    defaults = {"attempt": 2, "reason": kinds.ANOTHER_RUNS}
    said = {name: value for name, value in row["arguments"].items() if name not in defaults}
    assert said.items() <= job.arguments.items()


def test_what_a_newer_version_says_besides_is_passed_over() -> None:
    job = kinds.AdoptCard.read("ws", {"attempt": 2, "not_thought_of_yet": [1]})

    assert kinds.AdoptCard(workspace_id="ws") == job


@pytest.mark.parametrize(
    ("kind", "subject", "arguments"),
    [
        (kinds.ReconcilePurchase, "p1", {}),
        (kinds.SyncRefunds, "pi_1", {"purchase_id": str(ID)}),
        (kinds.ReconcileDay, "yesterday", {}),
        (kinds.RefundUnmatchedPayment, f"{ID}:in_1", OF_MONEY | {"amount": "much"}),
    ],
    ids=["no-uuid", "missing", "no-day", "no-amount"],
)
def test_a_row_that_is_no_job_of_its_kind_is_refused_with_what_is_wrong(
    kind: type[Job], subject: str, arguments: Json
) -> None:
    with pytest.raises(UnreadableJob, match=f"{kind.KIND} of .*: "):
        kind.read(subject, arguments)
