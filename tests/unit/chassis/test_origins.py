"""Origins: only what every browser reads as we do."""

import pytest

from chassis.origins import origin_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.example.com/billing?x=1#y", "https://app.example.com"),
        ("https://APP.example.com:443", "https://app.example.com"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/a", "http://[::1]:8000"),
        ("https://app.example.com?x", "https://app.example.com"),
    ],
)
def test_an_http_url_has_an_origin(url: str, expected: str) -> None:
    assert expected == origin_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example.com",
        "//app.example.com",
        "javascript:alert(1)",
        "https:/app.example.com",
        "https:///evil.example",
        "https://user@app.example.com",
        "https://app.example.com@evil.example",
        "https://app.example.com\\@evil.example",
        "https://app.example.com:0",
        "https://app.example.com:99999",
        "https://app.example.com\t.evil.example",
        "https://app.example.com\n",
        " https://app.example.com",
        "https://äpp.example.com",
        "https://app.example.com/\x00",
        "https://-app.example.com",
        "null",
        "https://" + "a" * 3000,
    ],
)
def test_anything_ambiguous_has_none(url: str) -> None:
    assert origin_of(url) is None
