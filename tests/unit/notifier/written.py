"""A letter as it is read: its words in the subject, the text and the HTML."""

import re
from html import unescape

from notifier.letters.letters import Letter, Mailable
from notifier.letters.rendering import LetterSettings, Rendered, render
from tests.fixtures import mailable_facts as facts

NBSP = "\N{NO-BREAK SPACE}"


def written(fact: Mailable, *, locale: str = "en", letter: Letter | None = None) -> tuple[Rendered, list[str]]:
    """Return the letter, and its three readings as plain words: subject, text, HTML."""
    letter = letter or facts.letter_for(fact)
    assert letter is not None
    settings = LetterSettings(
        support_email="help@quittance.example", public_base_url="https://billing.example", locale=locale
    )
    rendered = render(letter=letter, fact=fact, settings=settings)
    html = re.sub(r"<head>.*?</head>", "", rendered.html, flags=re.DOTALL)
    bare = re.sub(r"<[^>]*>", " ", re.sub(r'href="([^"]*)"[^>]*>', r"> \1 ", html))
    return rendered, [_words(rendered.subject), _words(rendered.text), _words(unescape(bare))]


def _words(text: str) -> str:
    return " ".join(text.split())


def must_say(fact: Mailable, *expected: str) -> None:
    """Require that text and HTML both say all of `expected`."""
    _, (_, text, html) = written(fact)
    assert [words for words in expected if _words(words) not in text] == []
    assert [words for words in expected if _words(words) not in html] == []
