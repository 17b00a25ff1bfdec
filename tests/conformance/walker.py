"""Speaks to the sandbox's API in plain HTTP, in the version of Stripe's description."""

from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.stripe.control import StripeControl
from tests.conformance.go_module import description

Json = dict[str, Any]


@dataclass(kw_only=True)
class Walker:
    """Speaks to the API in plain HTTP, in the version of the description."""

    http: httpx.AsyncClient
    control: StripeControl

    async def get(self, path: str, **params: Any) -> Json:
        return await self._ask("GET", path, params)

    async def post(self, path: str, **params: Any) -> Json:
        return await self._ask("POST", path, params)

    async def delete(self, path: str) -> Json:
        return await self._ask("DELETE", path, {})

    async def _ask(self, method: str, path: str, params: Json) -> Json:
        form = flat(params)
        sent: Json = {"data": form} if method == "POST" else {"params": form}
        headers = {"Stripe-Version": description()["info"]["version"]}
        answer = await self.http.request(method, f"{self.control.base_url}/v1{path}", headers=headers, **sent)
        found: Json = answer.json()
        return found


def flat(value: Any, name: str = "") -> dict[str, str]:
    """Nested parameters with Stripe's brackets."""
    if isinstance(value, dict):
        pairs = [(f"{name}[{key}]" if name else key, one) for key, one in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{name}[{position}]", one) for position, one in enumerate(value)]
    else:
        return {name: str(value).lower() if isinstance(value, bool) else str(value)}
    return {key: text for nested, one in pairs for key, text in flat(one, nested).items()}
