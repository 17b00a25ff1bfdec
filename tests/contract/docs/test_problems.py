"""One list of problems: a slug has one status in all services, and no page speaks of one that nobody says."""

from collections.abc import Mapping

import pytest

import catalog.pages.frame
import notifier.pages.frame
import purchases.web.pages.staff.staff_words
import purchases.web.pages.words
from chassis.pages import Words
from chassis.pages.problems_for_people import WORDS
from tests.contract.docs.code import refusals

PAGES = [
    WORDS,
    catalog.pages.frame.WORDS,
    notifier.pages.frame.WORDS,
    purchases.web.pages.words.WORDS,
    purchases.web.pages.staff.staff_words.STAFF_WORDS,
]


def test_a_slug_has_one_status_in_all_services() -> None:
    statuses = {(refusal.slug, refusal.status) for refusal in refusals()}

    assert len(statuses) == len({slug for slug, _ in statuses})


def test_what_is_not_there_is_said_alike() -> None:
    """`no-workspace` is of a person who is in none, and has no name to be found by."""
    missing = {refusal.slug for refusal in refusals() if refusal.status == 404} - {"no-workspace"}

    assert [slug for slug in missing if not slug.endswith("not-found")] == []


@pytest.mark.parametrize("words", PAGES)
def test_pages_have_words_for_problems_that_there_are(words: Mapping[str, Words]) -> None:
    assert set(words) - {refusal.slug for refusal in refusals()} == set()
