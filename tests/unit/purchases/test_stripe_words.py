"""Our lists of Stripe's status words are those of the pinned SDK, which Stripe generates from its description."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pytest
import stripe

from contracts.stripe_facts import words

SDK: Final = Path(stripe.__file__).parent
OLD: Final = {"charge_refunded"}
"""Documented for old versions, which the SDK does not speak any more."""
LISTED: Final = {
    "_dispute.py:status": words.DISPUTE_STATUSES,
    "_invoice.py:status": words.INVOICE_STATUSES,
    "_payment_intent.py:status": words.PAYMENT_INTENT_STATUSES,
    "_setup_intent.py:status": words.SETUP_INTENT_STATUSES,
    "_subscription.py:status": words.SUBSCRIPTION_STATUSES,
    "checkout/_session.py:payment_status": words.CHECKOUT_PAYMENT_STATUSES,
    "checkout/_session.py:status": words.CHECKOUT_STATUSES,
}
IN_FACTS: Final = {
    "_refund.py:status": words.REFUND_STATUSES,
    "_invoice_payment.py:status": words.INVOICE_PAYMENT_STATUSES,
}
"""Fields that are plain text in the description; their words stand in its prose."""


def _after(field: str) -> str:
    """The SDK's source from the object's own field on."""
    file, _, name = field.partition(":")
    source = (SDK / file).read_text()
    return re.split(rf"^    {name}: ", source, flags=re.MULTILINE)[-1]


@pytest.mark.parametrize("field", LISTED)
def test_every_word_of_the_description_is_known_and_no_other(field: str) -> None:
    listed = re.search(r"Literal\[(.*?)\]", _after(field), flags=re.DOTALL)
    assert listed is not None

    assert set(re.findall(r'"(\w+)"', listed[1])) == set(LISTED[field]) - OLD


@pytest.mark.parametrize("field", IN_FACTS)
def test_every_word_of_its_prose_is_known(field: str) -> None:
    prose: Collection[str] = re.findall(r"`(\w+)`", _after(field).split('"""')[1])

    assert set(prose) == set(IN_FACTS[field])
