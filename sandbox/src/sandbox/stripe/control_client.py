"""How the control clients speak to the sandbox."""

from types import TracebackType
from typing import Any, Self

import httpx

Json = dict[str, Any]


class ControlError(RuntimeError):
    """The sandbox refused; the message says why."""


class ControlClient:
    """The connection; use it as an async context manager, or call `close`."""

    def __init__(self, base_url: str, *, client: httpx.AsyncClient | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self._client = client or httpx.AsyncClient(timeout=60, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _get(self, path: str, **query: str | None) -> Json:
        return await self._call("GET", path, query={k: v for k, v in query.items() if v is not None})

    async def _data(self, path: str, **query: str | None) -> list[Json]:
        found: list[Json] = (await self._get(path, **query))["data"]
        return found

    async def _post(self, path: str, body: Json | None = None) -> Json:
        return await self._call("POST", path, body)

    async def _call(
        self, method: str, path: str, body: Json | None = None, *, query: dict[str, str] | None = None
    ) -> Json:
        answer = await self._client.request(method, f"{self.base_url}/_sandbox{path}", json=body, params=query)
        if answer.is_error:
            raise ControlError(f"{method} {path}: {answer.status_code} {answer.text}")
        result: Json = answer.json()
        return result
