"""A form that an earlier version's page showed does, when it is sent, what it said: pages stay open during an upgrade.

`tests/fixtures/before/forms.json` is what those pages had in them, with what people typed. It only grows.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx
import pytest

from purchases.ledger.transitions import Status
from tests.forms import read
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.moves import deliver_it
from tests.integration.purchases.test_bundles import parked_item, refunded_in_part
from tests.integration.purchases.test_portal import given_a_portal
from tests.integration.purchases.test_rows_of_before import BEFORE, filled
from tests.integration.purchases_api.test_parked import given_one_of_each
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.owners import an_owner
from tests.integration.purchases_pages.staff import browser

Json = dict[str, Any]
Ids = dict[str, str]
FORMS: Final[list[Json]] = json.loads((BEFORE / "forms.json").read_text())


async def a_workspace(harness: Harness, site: Site) -> Ids:
    await harness.given_an_addon()
    return {"workspace": await harness.given_a_workspace()}


async def an_offer(harness: Harness, site: Site) -> Ids:
    await given_a_portal(harness)
    return {"workspace": (await an_owner(harness, site)).workspace}


async def a_paid_purchase(harness: Harness, site: Site) -> Ids:
    purchase = await harness.given_a_purchase()
    return {"workspace": purchase.workspace_id, "purchase": str(purchase.id)}


async def a_delivered_purchase(harness: Harness, site: Site) -> Ids:
    purchase = await harness.given_a_purchase()
    await deliver_it(harness, purchase)
    return {"purchase": str(purchase.id)}


async def a_parked_command(harness: Harness, site: Site) -> Ids:
    await given_one_of_each(harness)
    (command,) = await harness.rows("select id from stripe_commands where state = 'parked'")
    return {"item": f"command-{command['id']}"}


async def a_parked_refund(harness: Harness, site: Site) -> Ids:
    purchases = await refunded_in_part(harness)
    return {"fact": await parked_item(harness), "purchase": str(purchases[0].id)}


async def statuses(harness: Harness) -> Any:
    return [row["status"] for row in await harness.rows("select status from workspace_addon_purchases")]


async def refunds(harness: Harness) -> Any:
    return [row["refund_cents"] for row in await harness.rows("select refund_cents from purchase_refunds")]


async def statuses_and_refunds(harness: Harness) -> Any:
    return await statuses(harness), await refunds(harness)


async def sessions(harness: Harness) -> Any:
    """What was opened at Stripe, by mode."""
    return [one["mode"] for one in (await harness.control.objects()).get("checkout.session", [])]


async def portals(harness: Harness) -> Any:
    return len((await harness.control.objects()).get("billing_portal.session", []))


async def jobs(harness: Harness) -> Any:
    return [row["state"] for row in await harness.rows("select state from stripe_commands where kind = 'void'")]


Given = Callable[[Harness, Site], Awaitable[Ids]]
Seen = Callable[[Harness], Awaitable[Any]]
# fmt: off
CASES: Final[Mapping[str, tuple[Given, Seen, Any]]] = {
    "buy":           (a_workspace,          statuses,             [Status.PAID]),
    "save-a-card":   (a_workspace,          sessions,             ["setup"]),
    "cancel":        (a_paid_purchase,      statuses,             [Status.CANCELLED]),
    "portal":        (an_offer,             portals,              1),
    "upgrade":       (an_offer,             sessions,             ["subscription"]),
    "refund-review": (a_paid_purchase,      refunds,              []),
    "refund":        (a_paid_purchase,      refunds,              [10_000]),
    "deliver":       (a_paid_purchase,      statuses,             [Status.DELIVERED]),
    "staff-cancel":  (a_paid_purchase,      statuses_and_refunds, ([Status.CANCELLED], [49_900])),
    "reopen":        (a_delivered_purchase, statuses,             [Status.CANCELLED]),
    "retry":         (a_parked_command,     jobs,                 ["open"]),
    "retry-all":     (a_parked_command,     jobs,                 ["open"]),
    "discard":       (a_parked_command,     jobs,                 ["discarded"]),
    "allocate":      (a_parked_refund,      refunds,              [700]),
}
# fmt: on
"""By form: what there is before it is sent, what is looked at afterwards, and what is seen then."""


@pytest.mark.parametrize("before", FORMS, ids=lambda before: before["form"])
async def test_a_form_of_an_earlier_page_does_what_it_said(harness: Harness, site: Site, before: Json) -> None:
    given, seen, expected = CASES[before["form"]]
    form = filled(before, await given(harness, site))
    owner = {"sub": "olga", "workspaces": {form["action"].split("/")[2]: "owner"}}
    async with browser(site, owner if form["action"].startswith("/app/") else None) as visitor:
        answer = await visitor.post(form["action"], data=form["fields"])

    assert await seen(harness) == expected
    assert_it_was_taken(answer, form["form"])


def assert_it_was_taken(answer: httpx.Response, name: str) -> None:
    """The next page; of a review the one that asks once more, with the same fields; or the way to Stripe."""
    if name == "refund-review":
        (review,) = (form for form in read(answer).forms if ("agreed", "10000") in form.fields)
        assert {"key", "how_much", "amount", "reason"} <= {field for field, _ in review.fields}
    elif name in {"portal", "upgrade"}:
        assert (answer.status_code, 'id="continue"' in answer.text) == (200, True)
    else:
        assert answer.status_code == 303, answer.text
