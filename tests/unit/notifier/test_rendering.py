"""Letters in words: one wording in text and HTML, other people's words kept harmless."""

import re

import pytest

from contracts.purchase_facts import PurchaseFact
from notifier.letters.letters import Mailable
from notifier.letters.rendering import SUBJECT_LENGTH, LetterSettings, Rendered, render
from tests.fixtures import mailable_facts as facts

SETTINGS = LetterSettings(support_email="help@quittance.example", public_base_url="https://billing.example/")


def rendered(fact: Mailable, *, settings: LetterSettings = SETTINGS) -> Rendered:
    letter = facts.letter_for(fact)
    assert letter is not None
    return render(letter=letter, fact=fact, settings=settings)


@pytest.mark.parametrize("fact", facts.one_of_each(), ids=lambda fact: fact.TYPE)
def test_every_letter_says_the_same_in_text_and_html(fact: Mailable) -> None:
    letter = rendered(fact)
    words = " ".join(re.sub(r"<[^>]*>", " ", letter.html).split()) + letter.html

    assert ("Professional AI Setup" if isinstance(fact, PurchaseFact) else fact.plan.title()) in letter.subject
    assert fact.subject in letter.text
    for line in letter.text.splitlines():
        assert line in words or line.partition(": ")[2] in words


@pytest.mark.parametrize("fact", facts.one_of_each(), ids=lambda fact: fact.TYPE)
def test_the_styles_are_inlined_and_nothing_is_fetched(fact: Mailable) -> None:
    html = rendered(fact).html

    assert "<style" not in html
    assert 'style="' in html
    assert not re.search(r"<(img|script|link|iframe)\b", html)


def test_a_new_purchase_names_workspace_owner_price_and_where_to_go() -> None:
    fact = facts.paid()

    letter = rendered(fact)

    assert letter.subject == "New purchase: Professional AI Setup for Northwind Traders, €499.00"
    for words in ("dana@northwind.example", "€499.00", f"https://billing.example/admin/purchases/{fact.purchase_id}"):
        assert words in letter.text
        assert words in letter.html


def test_the_owner_reads_the_amount_but_not_our_internal_reasons() -> None:
    letter = rendered(facts.refund_issued(reason="friend of the settings", actor="staff:amy", workspace_id="a/b"))

    assert letter.subject == "Your refund of €100.00 for Professional AI Setup"
    assert "help@quittance.example" in letter.text
    assert "https://billing.example/app/a%2Fb/billing/addons" in letter.text
    for secret in ("friend of the settings", "staff:amy", "re_1"):
        assert secret not in letter.text
        assert secret not in letter.html


@pytest.mark.parametrize(("status", "said"), [("refunded", True), ("paid", False), ("cancelled", False)])
def test_a_full_refund_is_called_one(status: str, said: bool) -> None:
    assert said == ("refunded in full" in rendered(facts.refund_issued(status=status)).text)


def test_without_a_base_url_there_is_no_link() -> None:
    letter = rendered(facts.paid(), settings=LetterSettings(support_email="help@quittance.example"))

    assert "http" not in letter.text
    assert "<a " not in letter.html


def test_money_that_came_in_is_shown_in_its_own_currency() -> None:
    letter = rendered(facts.payment_parked(amount_paid_cents=5000, amount_paid_currency="JPY"))

    assert "Received: ¥5,000" in letter.text
    assert "Price: €499.00" in letter.text


@pytest.mark.parametrize(
    ("currency", "cents", "text"),
    [
        ("JPY", 49900, "¥49,900"),
        ("KWD", 12500, "KWD\N{NO-BREAK SPACE}12.500"),
        ("ISK", 50000, "ISK\N{NO-BREAK SPACE}500"),
    ],
)
def test_currencies_of_other_exponents_are_right(currency: str, cents: int, text: str) -> None:
    letter = rendered(facts.paid(currency=currency, price_cents=cents, paid_cents=cents))

    assert f"Paid: {text}" in letter.text
    assert text.replace("\N{NO-BREAK SPACE}", " ") in letter.subject


THEIR_WORDS = {
    "actor",
    "dispute_reason",
    "failure_reason",
    "outcome",
    "owner_email",
    "plan",
    "reason",
    "stripe_invoice_id",
    "workspace_name",
}
HOSTILE = '<script>alert(1)</script><a href="https://evil.example">x</a>{{ 7*7 }}{% raw %}&amp;'


@pytest.mark.parametrize("fact", facts.one_of_each(), ids=lambda fact: fact.TYPE)
def test_markup_in_names_and_reasons_is_text(fact: Mailable) -> None:
    hostile: dict[str, object] = dict.fromkeys(THEIR_WORDS & set(type(fact).model_fields), HOSTILE)
    if isinstance(fact, PurchaseFact):
        hostile["addon"] = fact.addon.model_copy(update={"name": HOSTILE})

    html = rendered(fact.model_copy(update=hostile)).html

    assert "<script" not in html
    assert "evil.example" not in re.sub(r">[^<]*<", "><", html)
    assert "49&" not in html
    assert "{{ 7*7 }}" in html


@pytest.mark.parametrize("breaking", ["\n", "\r\n", "\u2028", "\x85", "\x00", "\t", "\u202e"])
def test_names_stay_on_their_line(breaking: str) -> None:
    name = f"Acme{breaking}Bcc: victim@example.org{breaking}{breaking}Pay here"

    letter = rendered(facts.paid(workspace_name=name, addon_name=name, reason=name))

    assert breaking not in letter.subject
    assert "\nBcc" not in letter.text
    assert not any(line.startswith("Pay here") for line in letter.text.splitlines())


def test_subjects_have_an_end() -> None:
    letter = rendered(facts.paid(workspace_name="W" * 5000, addon_name="ä" * 120))

    assert len(letter.subject) <= SUBJECT_LENGTH
    assert "…" in letter.subject


def test_a_name_of_blanks_falls_back_to_the_id() -> None:
    letter = rendered(facts.paid(workspace_name="\u200e \n", addon_name="\u2066"))

    assert letter.subject == "New purchase: setup for ws_northwind, €499.00"
