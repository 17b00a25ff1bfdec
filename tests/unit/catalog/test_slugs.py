"""Slugs are URL-safe, short and unique, whatever the name."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.limits import SLUG_LENGTH
from catalog.slugs import first_free, slug_of

URL_SAFE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
slugs = st.from_regex(URL_SAFE, fullmatch=True).map(lambda slug: slug[:SLUG_LENGTH].strip("-"))


@settings(deadline=None)
@given(st.text(max_size=120))
def test_whatever_the_name_the_slug_is_url_safe_and_fits_or_is_empty(name: str) -> None:
    slug = slug_of(name=name)

    assert slug == "" or URL_SAFE.fullmatch(slug)
    assert len(slug) <= SLUG_LENGTH


@settings(deadline=None)
@given(slugs, st.integers(min_value=0, max_value=120))
def test_a_taken_slug_gets_the_lowest_free_number_and_still_fits(wanted: str, taken: int) -> None:
    given_out: list[str] = []
    for _ in range(taken):
        given_out.append(first_free(wanted=wanted, taken=given_out))

    slug = first_free(wanted=wanted, taken=given_out)

    assert slug not in given_out
    assert URL_SAFE.fullmatch(slug)
    assert len(slug) <= SLUG_LENGTH


def test_entities_are_text_and_nothing_to_decode() -> None:
    assert slug_of(name="A &amp; B &#x110000; C") == "a-amp-b-x110000-c"


def test_a_free_slug_is_taken_as_it_is() -> None:
    assert first_free(wanted="setup", taken={"setup-2"}) == "setup"


def test_a_gap_in_the_numbers_is_used() -> None:
    assert first_free(wanted="setup", taken={"setup", "setup-3"}) == "setup-2"
