"""A page's forms as a browser without JavaScript sees them: what it shows, what it would send, and where to."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

import httpx

_NOT_TYPED_IN: Final = frozenset({"checkbox", "radio"})
_VOID: Final = frozenset({"input", "meta", "link", "br", "hr"})


@dataclass
class PageForm:
    """One form: its fields in order, and the target."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, **typed: str | list[str] | None) -> dict[str, list[str]]:
        """What is sent with `typed` in its fields; None leaves a field out, as an unticked box is."""
        sent: dict[str, list[str]] = {}
        for name, value in self.fields:
            sent.setdefault(name, []).append(value)
        for name, given in typed.items():
            sent[name] = [] if given is None else [given] if isinstance(given, str) else given
        return sent


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[PageForm] = []
        self.words: list[str] = []
        self._form: PageForm | None = None
        self._select: str | None = None
        self._text_of: str | None = None
        self._silent = False
        self._in_main = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._in_main = self._in_main or tag == "main"
        self._silent = tag == "script" or (self._silent and tag in _VOID)
        if tag == "form":
            self._form = PageForm(attributes["action"])
            self.forms.append(self._form)
        if self._form is None:
            return
        if (
            tag == "input"
            and (attributes.get("type") not in _NOT_TYPED_IN or "checked" in attributes)
            and "name" in attributes
        ):
            self._form.fields.append((attributes["name"], attributes.get("value", "on")))
        if tag == "select":
            self._select = attributes["name"]
        if tag == "option" and self._select and "selected" in attributes:
            self._text_of = self._select
        if tag == "textarea":
            self._text_of = attributes["name"]
            self._form.fields.append((attributes["name"], ""))
        if tag == "option" and self._text_of and "value" in attributes:
            self._form.fields.append((self._text_of, attributes["value"]))
            self._text_of = None

    def handle_data(self, data: str) -> None:
        if self._in_main and not self._silent and data.strip():
            self.words.append(" ".join(data.split()))
        if self._text_of and self._form is not None:
            if self._form.fields and self._form.fields[-1] == (self._text_of, ""):
                self._form.fields.pop()
            self._form.fields.append((self._text_of, data))
            self._text_of = None

    def handle_endtag(self, tag: str) -> None:
        self._silent = self._silent and tag != "script"
        if tag == "form":
            self._form = None
        if tag in {"select", "textarea"}:
            self._select = self._text_of = None


def read(page: httpx.Response) -> _Reader:
    """The page, read."""
    reader = _Reader()
    reader.feed(page.text)
    return reader


def text_of(page: httpx.Response) -> str:
    """Return the content of the page as one line of text."""
    return " ".join(read(page).words)


def form_to(page: httpx.Response, action: str) -> PageForm:
    """The page's form with this target."""
    return next(form for form in read(page).forms if form.action == action)
