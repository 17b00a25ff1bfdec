"""The problems that people meet: each with its stable slug and status."""

import uuid
from datetime import UTC, datetime, timedelta

from chassis.problems import Problem
from purchases.buying.buy import payment_method_missing
from purchases.buying.card_testing import too_many_declines
from purchases.catalog_copy.availability import addon_inactive, addon_not_found, price_changed
from purchases.catalog_copy.rows import Addon
from purchases.customers.register_workspace import customer_fixed, customer_taken, owner_fixed
from purchases.customers.usable_customer import stripe_refused, stripe_unavailable
from purchases.ledger import problems
from purchases.ledger.problems import already_purchased, settling
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Refused, Status, Trigger
from purchases.moves.move_by_hand import illegal_move
from purchases.workspaces.problems import workspace_not_found

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOLDER = Purchase(id=uuid.uuid4(), status=Status.PAID)
ADDON = Addon(price_cents=49_900, currency="EUR")

PROBLEMS: dict[tuple[int, str], Problem] = {
    (404, "workspace-not-found"): workspace_not_found(),
    (404, "purchase-not-found"): problems.purchase_not_found(),
    (404, "addon-not-found"): addon_not_found("x"),
    (409, "addon-inactive"): addon_inactive("x"),
    (409, "price-changed"): price_changed(ADDON),
    (409, "already-purchased"): already_purchased(HOLDER),
    (409, "settling"): settling(HOLDER),
    (409, "payment-method-missing"): payment_method_missing(
        setup_session_id="cs_1", setup_url="https://stripe.example/cs_1"
    ),
    (422, "idempotency-key-reused"): problems.key_reused(),
    (429, "too-many-declines"): too_many_declines(retry_at=NOW, now=NOW),
    (503, "stripe-unavailable"): stripe_unavailable(),
    (409, "owner-fixed"): owner_fixed(),
    (409, "customer-taken"): customer_taken(),
    (409, "customer-fixed"): customer_fixed(),
    (409, "illegal-transition"): illegal_move(Refused(Status.PENDING, Trigger.DELIVERED)),
    (409, "status-changed"): problems.status_changed(Status.PAID),
    (502, "stripe-refused"): stripe_refused("amount_too_small"),
}


def test_types_and_statuses_are_stable() -> None:
    assert list(PROBLEMS) == [(problem.status, problem.slug) for problem in PROBLEMS.values()]


def test_a_price_that_changed_is_shown() -> None:
    assert price_changed(ADDON).extra == {"price_cents": 49_900, "currency": "EUR"}


def test_who_tests_cards_learns_when_to_come_back() -> None:
    later = too_many_declines(retry_at=NOW + timedelta(seconds=90), now=NOW)
    assert later.headers == {"Retry-After": "91"}
    assert too_many_declines(retry_at=NOW - timedelta(seconds=9), now=NOW).headers == {"Retry-After": "1"}


def test_an_illegal_move_says_why() -> None:
    problem = illegal_move(Refused(Status.PENDING, Trigger.DELIVERED))
    assert problem.detail == "a pending purchase cannot be marked as delivered"
