"""The guards: lines that keep money and rows from going wrong, how each is taken out, and the tests that notice."""

from dataclasses import dataclass
from typing import Final

GATEWAY: Final = "services/webhook-gateway/src/webhook_gateway"
PURCHASES: Final = "services/purchases/src/purchases"
CHASSIS: Final = "libs/chassis/src/chassis"
SIGNATURE: Final = "tests/unit/webhook_gateway/test_signature.py"
INTAKE: Final = "tests/unit/webhook_gateway/test_intake.py"
OF_MONEY: Final = "tests/unit/purchases/test_money.py"
NOT_OURS: Final = f"{OF_MONEY}::test_money_of_another_customer_amount_currency_or_line_is_not_ours"
JOBS: Final = "tests/integration/purchases/test_jobs.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard and the patch that takes it out: `line`, which stands once in `file`, becomes `without`."""

    name: str
    prevents: str
    """What happens without it."""
    file: str
    line: str
    without: str
    tests: tuple[str, ...]
    """At least one of them fails without it."""

    def taken_out_of(self, text: str) -> str:
        """Return the file without the guard. Raises LookupError where its line does not stand there exactly once."""
        found = text.count(self.line)
        if found != 1:
            raise LookupError(f"guard {self.name}: {found} times in {self.file}, not once:\n{self.line}")
        return text.replace(self.line, self.without)


GUARDS: Final = (
    Guard(
        name="signature",
        prevents="a body that Stripe did not sign is taken",
        file=f"{GATEWAY}/webhook/signature.py",
        line="if hmac.compare_digest(expected, candidate):",
        without="if candidate:",
        tests=(f"{SIGNATURE}::test_a_changed_body_is_refused",),
    ),
    Guard(
        name="signature's age",
        prevents="a signed body that somebody kept is taken later",
        file=f"{GATEWAY}/webhook/signature.py",
        line="if timestamp < now - TOLERANCE_SECONDS:",
        without="if False:",
        tests=(f"{SIGNATURE}::test_the_tolerance_is_300_seconds_both_ways",),
    ),
    Guard(
        name="livemode",
        prevents="a test event reaches the live ledger",
        file=f"{GATEWAY}/stripe_events/intake.py",
        line='if event.get("livemode") is (not livemode):',
        without="if False:",
        tests=(f"{INTAKE}::test_a_live_deployment_takes_live_events_only",),
    ),
    Guard(
        name="account",
        prevents="another account's event reaches the ledger",
        file=f"{GATEWAY}/stripe_events/intake.py",
        line="return Whose.OURS if account in (None, account_id) and context in (None, account_id) else Whose.FOREIGN",
        without="return Whose.OURS",
        tests=(f"{INTAKE}::test_an_event_of_another_account_ends_as_such_whatever_else_it_is",),
    ),
    Guard(
        name="inbox",
        prevents="a fact that Kafka delivers again is applied again",
        file=f"{CHASSIS}/outbox/inbox.py",
        line="return set(new.scalars())",
        without="return set(facts)",
        tests=(
            "tests/integration/purchases/test_batches.py::"
            "test_a_stale_fact_that_is_delivered_again_stands_once_in_the_history",
        ),
    ),
    Guard(
        name="customer",
        prevents="another customer's money pays a purchase",
        file=f"{PURCHASES}/ledger/money.py",
        line="if sold.customer_id != invoice.customer_id:",
        without="if False:",
        tests=(NOT_OURS,),
    ),
    Guard(
        name="amount",
        prevents="money of another amount pays a purchase",
        file=f"{PURCHASES}/ledger/money.py",
        line="return (line.amount, line.currency.upper()) == (sold.price_cents, sold.currency)",
        without="return line.currency.upper() == sold.currency",
        tests=(NOT_OURS,),
    ),
    Guard(
        name="currency",
        prevents="so many yen pay what costs so many euros",
        file=f"{PURCHASES}/ledger/money.py",
        line="return (line.amount, line.currency.upper()) == (sold.price_cents, sold.currency)",
        without="return line.amount == sold.price_cents",
        tests=(NOT_OURS,),
    ),
    Guard(
        name="late money",
        prevents="a second payment is kept instead of going back",
        file=f"{PURCHASES}/ledger/money.py",
        line="if status is Status.PENDING or (status is Status.FAILED and slot_free):",
        without="if True:",
        tests=(
            f"{OF_MONEY}::test_new_money_settles_or_goes_back",
            "tests/integration/purchases/test_money.py::test_late_money_of_a_cancelled_purchase_goes_back_once",
        ),
    ),
    Guard(
        name="refund's final status",
        prevents="an old event takes a finished refund back",
        file=f"{PURCHASES}/ledger/money.py",
        line="if known is None or _RANK[reported] > _RANK.get(known, 0):",
        without="if True:",
        tests=(
            f"{OF_MONEY}::test_nothing_takes_a_failed_refund_back",
            f"{OF_MONEY}::test_a_late_pending_does_not_take_success_back",
        ),
    ),
    Guard(
        name="idempotency key",
        prevents="a repeated call to Stripe is a second charge or refund",
        file=f"{PURCHASES}/stripe_api/keys.py",
        line='return f"{instance}:{subject}:{step}:{attempt}"',
        without="return str(uuid.uuid4())",
        tests=(
            "tests/unit/purchases/test_keys.py::test_a_repeat_has_the_same_key_and_a_new_attempt_another",
            "tests/integration/purchases/test_money.py::test_a_timeout_repeats_the_refund_under_the_same_key",
        ),
    ),
    Guard(
        name="unique slot",
        prevents="two purchases of one add-on hold a workspace's slot, whatever the code before it did",
        file=f"{PURCHASES}/migrations/versions/0002_ledger.py",
        line='        unique=True,\n        postgresql_where=sa.text("payable or status in',
        without='        unique=False,\n        postgresql_where=sa.text("payable or status in',
        tests=(
            "tests/integration/purchases/test_tables.py::"
            "test_a_slot_is_held_by_the_status_or_while_money_may_still_come",
        ),
    ),
    Guard(
        name="workspace's row lock",
        prevents="two claims at once take the last slot of a cap",
        file=f"{PURCHASES}/workspaces/store.py",
        line="row = select(Workspace).where(Workspace.id == workspace_id).with_for_update(key_share=True)",
        without="row = select(Workspace).where(Workspace.id == workspace_id)",
        tests=("tests/integration/purchases/test_caps.py::test_a_claim_waits_for_the_one_that_is_under_way",),
    ),
    Guard(
        name="newest snapshot",
        prevents="an older event takes a subscription back to what it was",
        file=f"{PURCHASES}/subscriptions/rules.py",
        line="return News.STALE if new_at < event_at else News.FETCH",
        without="return News.TAKE",
        tests=("tests/unit/purchases/test_subscriptions.py::test_newer_wins_and_an_end_is_final",),
    ),
    Guard(
        name="newest price",
        prevents="an older state of the catalog brings an old price back",
        file=f"{PURCHASES}/catalog_copy/store.py",
        line="where=Addon.sequence < statement.excluded.sequence,",
        without="",
        tests=(
            "tests/integration/purchases/test_prices.py::test_an_older_state_of_the_catalog_brings_no_old_price_back",
        ),
    ),
    Guard(
        name="shown price",
        prevents="somebody pays another price than the page showed",
        file=f"{PURCHASES}/buying/buy.py",
        line="if (addon.price_cents, addon.currency) != (order.expected_price_cents, order.expected_currency):",
        without="if False:",
        tests=("tests/integration/purchases/test_buying.py::test_a_price_that_changed_is_refused",),
    ),
    Guard(
        name="sale's id",
        prevents="a request that is repeated to a restored database is another sale at Stripe",
        file=f"{PURCHASES}/buying/buy.py",
        line="purchase_id=order.purchase_id(instance),",
        without="purchase_id=uuid.uuid4(),",
        tests=(
            "tests/integration/purchases/test_repeated_after_a_restore.py::test_it_is_the_same_sale_and_the_same_invoice",
        ),
    ),
    Guard(
        name="request's fingerprint",
        prevents="another order under a used key is answered with the first one's purchase",
        file=f"{PURCHASES}/buying/buy.py",
        line="if purchase.request_fingerprint != order.fingerprint:",
        without="if False:",
        tests=("tests/integration/purchases/test_buying.py::test_a_repeated_key_with_another_body_is_refused",),
    ),
    Guard(
        name="what remains",
        prevents="more goes back than was paid",
        file=f"{PURCHASES}/refunds/request_refund.py",
        line="if requested is not None and requested > left:",
        without="if False:",
        tests=(
            "tests/integration/purchases/test_staff_refunds.py::test_more_than_remains_is_refused_with_what_remains",
        ),
    ),
    Guard(
        name="lease",
        prevents="two workers carry out one job at once",
        file=f"{PURCHASES}/jobs/store.py",
        line="row.leased_until = until = now + LEASE",
        without="row.leased_until = until = now",
        tests=(f"{JOBS}::test_while_one_worker_is_at_it_nobody_else_is",),
    ),
)
