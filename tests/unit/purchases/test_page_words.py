"""What buyers can be refused with has words for people, which say whether anything was charged."""

from typing import Any

import pytest

from chassis.problems import MEDIA_TYPE
from purchases.web.api.purchase_routes import NOT_BOUGHT, NOT_CANCELLED
from purchases.web.pages.words import WORDS

ELSEWHERE = {
    *("unauthenticated", "forbidden", "not-found", "invalid-request"),  # chassis has words for them
    *("malformed-json", "body-too-large", "unsupported-media-type"),  # of JSON bodies
    *("return-url-not-allowed", "payment-declined"),  # the page makes the address, and reads the purchase
}


def slugs(responses: Any) -> set[str]:
    return {slug for one in responses.values() for slug in one["content"][MEDIA_TYPE]["examples"]} - ELSEWHERE


@pytest.mark.parametrize("slug", sorted(slugs(NOT_BOUGHT) | slugs(NOT_CANCELLED)))
def test_every_refusal_that_a_buyer_can_meet_has_words(slug: str) -> None:
    said = WORDS[slug]

    assert said.next
    assert "Idempotency-Key" not in f"{said.title} {said.what} {said.next}"


@pytest.mark.parametrize("slug", sorted(slugs(NOT_BOUGHT) - {"workspace-not-found"}))
def test_who_could_not_buy_learns_what_was_charged(slug: str) -> None:
    assert "charged" in str(WORDS[slug].what)
