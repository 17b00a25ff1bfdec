"""A page as somebody reads it: its text, its links, its forms with what stands in them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

import httpx

INLINE: Final = frozenset({"a", "b", "strong", "span", "time", "button"})
VOID: Final = frozenset({"input", "meta", "link", "br", "hr", "img"})
Attributes = dict[str, str | None]


@dataclass(kw_only=True)
class Form:
    """What a browser would send, and whether it can."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """Reads an answer's HTML once."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.headers = answer.headers
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.disabled: list[str] = []
        self.elements: dict[str, Attributes] = {}
        self._lists: dict[str, dict[str, str]] = {}
        self._words: list[str] = []
        self._nav: list[str] = []
        self._open: list[tuple[str, Attributes, int]] = []
        self.feed(answer.text)

    @property
    def text(self) -> str:
        """Everything that is read, on one line."""
        return _line(self._words)

    @property
    def nav(self) -> list[str]:
        """The entries of the navigation."""
        return self._nav

    def listed(self, name: str) -> dict[str, str]:
        """The links of the list with this id."""
        return self._lists.get(name, {})

    def form(self, button: str) -> Form:
        """The form with this button."""
        (found,) = [form for form in self.forms if button in form.buttons]
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self._words.append("" if tag in INLINE else " ")
        if attributes.get("id"):
            self.elements[str(attributes["id"])] = attributes
        if tag == "form":
            self.forms.append(Form(action=str(attributes["action"])))
        if tag == "input" and attributes.get("name"):
            self.forms[-1].fields[str(attributes["name"])] = attributes.get("value") or ""
        if tag not in VOID:
            self._open.append((tag, attributes, len(self._words)))

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            name, attributes, since = self._open.pop()
            said = _line(self._words[since:])
            if name == "a":
                self.links[said] = str(attributes["href"])
                if any(outer == "nav" for outer, _, _ in self._open):
                    self._nav.append(said)
                for outer, its, _ in self._open:
                    if outer == "ul" and its.get("id"):
                        self._lists.setdefault(str(its["id"]), {})[said] = str(attributes["href"])
            if name == "button":
                self.disabled.append(said) if "disabled" in attributes else self.forms[-1].buttons.append(said)
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1][0] not in {"script", "style", "title"}:
            self._words.append(data)


def _line(words: list[str]) -> str:
    return " ".join("".join(words).split())
