"""Conditional requests as RFC 9110 §13 compares them."""

import pytest

from catalog.etags import (
    PreconditionFailed,
    PreconditionRequired,
    digest_etag,
    etag_of,
    is_known,
    require_match,
)


@pytest.mark.parametrize("if_match", ['"3"', "*", '"1", "3"', '"1","3"'])
def test_an_edit_of_the_present_state_may_go_on(if_match: str) -> None:
    require_match(if_match=if_match, etag=etag_of(sequence=3))


@pytest.mark.parametrize("if_match", ['"2"', 'W/"3"', "3", "", '"33"'])
def test_an_edit_of_another_state_may_not(if_match: str) -> None:
    with pytest.raises(PreconditionFailed) as failed:
        require_match(if_match=if_match, etag=etag_of(sequence=3))

    assert failed.value.headers == {"ETag": '"3"'}


def test_an_edit_that_does_not_say_of_what_may_not() -> None:
    with pytest.raises(PreconditionRequired):
        require_match(if_match=None, etag=etag_of(sequence=3))


@pytest.mark.parametrize(
    ("if_none_match", "known"),
    [('"a"', True), ('W/"a"', True), ("*", True), ('"b", W/"a"', True), (None, False), ("", False), ('"b"', False)],
)
def test_a_reader_knows_what_it_names(if_none_match: str | None, known: bool) -> None:
    assert known == is_known(if_none_match=if_none_match, etag='"a"')


def test_equal_bytes_have_one_etag_and_others_another() -> None:
    assert digest_etag(b"a") == digest_etag(b"a") != digest_etag(b"b")
