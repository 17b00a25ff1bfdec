"""The answers that our services gave to a journey, in order; those that overlapped have no order."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from sandbox.driver import Driver
from tests.forms import read

Json = dict[str, Any]
_HEADERS: Final = ("location", "retry-after", "etag")
_CHANGING: Final = ("retry-after",)
"""How long somebody is asked to wait depends on how fast the machine is."""


class Answers:
    """Listens to the journey's client. A batch is what was under way at the same time."""

    def __init__(self, driver: Driver) -> None:
        stack = driver.stack
        self._services: Mapping[str, str] = {
            stack.catalog_url: "catalog",
            stack.purchases_url: "purchases",
            stack.gateway_url: "gateway",
            stack.pages_url: "pages",
        }
        self.batches: list[list[Json]] = [[]]
        self._under_way = 0
        driver.http.event_hooks["request"].append(self._asked)
        driver.http.event_hooks["response"].append(self._answered)

    async def _asked(self, _request: httpx.Request) -> None:
        if self._under_way == 0:
            self.batches.append([])
        self._under_way += 1

    async def _answered(self, answer: httpx.Response) -> None:
        self._under_way -= 1
        url = answer.request.url
        service = self._services.get(f"{url.scheme}://{url.netloc.decode()}")
        if service is not None:
            await answer.aread()
            self.batches[-1].append(_seen(service, answer))


def _seen(service: str, answer: httpx.Response) -> Json:
    seen: Json = {
        "of": f"{answer.request.method} {service}",
        "path": answer.request.url.raw_path.decode().partition("?")[0],
        "status": answer.status_code,
        "body": _body(answer),
    }
    headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
    return seen | headers | {name: "(some)" for name in _CHANGING if name in headers}


def _body(answer: httpx.Response) -> Any:
    kind = answer.headers.get("content-type", "")
    if "json" in kind:
        return json.loads(answer.content)
    return _page(answer) if "html" in kind else answer.text[:2_000].splitlines()


def _page(answer: httpx.Response) -> Json:
    """What is read, and what its forms would send."""
    page = read(answer)
    forms = [{"action": form.action, "fields": form.filled()} for form in page.forms]
    return {"text": " ".join(page.words).split(". "), "forms": forms}
