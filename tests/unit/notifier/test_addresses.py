"""Only addresses that RFC 5321 knows get near a header or the SMTP dialogue."""

import pytest

from notifier.delivery.messages import InvalidAddress, mailbox, named_mailbox


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("a@example.org", "a@example.org"),
        (" a@example.org\n", "a@example.org"),
        ("First.Last+tag@Example.ORG", "First.Last+tag@example.org"),
        ("a@localhost", "a@localhost"),
        ('"a b"@example.org', '"a b"@example.org'),
        ("a@münchen.example", "a@xn--mnchen-3ya.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("ö@example.org", "ö@example.org"),
    ],
)
def test_an_address_is_taken(text: str, spec: str) -> None:
    assert spec == mailbox(text).spec


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nobody",
        "@example.org",
        "a@",
        "a b@example.org",
        "a@b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a\x00@example.org",
        "a@example.org, b@example.org",
        "a@example.org>",
        "<a@example.org>",
        "a(comment)@example.org",
        ".a@example.org",
        "a..b@example.org",
        "a@-example.org",
        "a@example..org",
        "a@[127.0.0.1]",
        "\ud800@example.org",
        "a@exa mple.org",
        f"{'a' * 65}@example.org",
        f"a@{'b' * 64}.org",
        f"{'a' * 64}@{'.'.join(['b' * 60] * 4)}.org",
    ],
)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidAddress) as refusal:
        mailbox(text)

    assert "example" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    ["Quittance, Inc. <billing@example.org>", '"Quittance, Inc." <billing@example.org>'],
)
def test_our_own_address_may_have_a_name(text: str) -> None:
    found = named_mailbox(text)

    assert (found.display_name, found.spec) == ("Quittance, Inc.", "billing@example.org")
