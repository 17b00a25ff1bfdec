"""The issuer's public keys: cached, kept while the issuer is down, and fetched a bounded number of times.

PyJWT's own client blocks the event loop, and logs everybody out when the issuer is down.
"""

import asyncio
import json
import math
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from jwt import PyJWK, PyJWTError

from chassis.problems import Problem
from chassis.process import metrics
from chassis.process.logs import get_logger

log = get_logger(__name__)

ALGORITHMS: Final = ("RS256", "ES256")
TTL_SECONDS: Final = 300.0
RETRY_SECONDS: Final = 10.0
FIRST_RETRY_SECONDS: Final = 1.0
FETCH_TIMEOUT: Final = 3.0
MAX_BYTES: Final = 256 * 1024
MAX_KEYS: Final = 100


class JwksUnusable(Exception):  # noqa: N818 - named for what it says
    """The issuer did not answer with a set of keys that we can use."""


class Jwks:
    """Keys by id. However many requests ask at once and whatever ids they name, there is one fetch at a time.

    `retry_seconds` lie between two attempts: an attacker with invented ids, or an issuer that is down, costs one
    fetch per interval. While there are no keys at all the interval is `first_retry_seconds`.
    """

    def __init__(
        self,
        url: str,
        *,
        ttl_seconds: float = TTL_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
        timeout_seconds: float = FETCH_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError("JWKS_URL must be an http(s) URL")
        self._url = url
        self._ttl = ttl_seconds
        self._retry = retry_seconds
        self._first_retry = first_retry_seconds
        self._timeout = timeout_seconds
        self._clock = clock
        self._tls = httpx.create_ssl_context()  # here, because it reads files
        self._keys: Mapping[str | None, PyJWK] = {}
        self._fetched_at = -math.inf
        self._tried_at = -math.inf
        self._one_at_a_time = asyncio.Lock()

    async def key(self, kid: str | None) -> PyJWK | None:
        """Return the key of that id, or None if the issuer has no such key. None as an id means its only key.

        Raises Problem 503 `issuer-unavailable` while no keys were ever fetched.
        """
        if not self._good(kid):
            await self._refresh(kid)
        if not self._keys:
            wait = max(1, math.ceil(self._first_retry))
            title = "Callers cannot be recognised at the moment"
            raise Problem(503, "issuer-unavailable", title, retry_after=wait)
        return self._keys.get(kid)

    def _good(self, kid: str | None) -> bool:
        return kid in self._keys and self._clock() - self._fetched_at < self._ttl

    def _may_try(self) -> bool:
        return self._clock() - self._tried_at >= (self._retry if self._keys else self._first_retry)

    async def _refresh(self, kid: str | None) -> None:
        if kid in self._keys and self._one_at_a_time.locked():
            return  # somebody is fetching; an issuer that hangs must not hold up everybody whose key is known
        async with self._one_at_a_time:
            # Whoever waited here finds that the fetch has been made.
            if self._may_try() and not self._good(kid):
                await self._try_fetch()
                self._tried_at = self._clock()

    async def _try_fetch(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                self._keys = _keys_by_id(await _download(self._url, self._tls))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, JwksUnusable) as error:
            metrics.JWKS_FETCH_FAILURES.inc()
            log.warning("jwks_fetch_failed", error=repr(error)[:300], keys_kept=len(self._keys))
        else:
            self._fetched_at = self._clock()
            metrics.JWKS_FETCHED_AT.set_to_current_time()


async def _download(url: str, tls: ssl.SSLContext) -> bytes:
    # Without kept connections: there is one fetch in minutes, and nothing to close when the process ends.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(verify=tls, limits=limits, timeout=FETCH_TIMEOUT, follow_redirects=False) as client,
        client.stream("GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise JwksUnusable(f"status {response.status_code}")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise JwksUnusable(f"more than {MAX_BYTES} bytes")
        return bytes(body)


def _keys_by_id(body: bytes) -> dict[str | None, PyJWK]:
    """Return the usable signing keys; a set without any is refused, so that it never replaces good ones."""
    try:
        listed = json.loads(body)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise JwksUnusable("no JSON Web Key Set") from error
    if not isinstance(listed, list):
        raise JwksUnusable("no list of keys")
    keys = [key for key in map(_usable, listed[:MAX_KEYS]) if key is not None]
    if not keys:
        raise JwksUnusable("no usable key")
    by_id: dict[str | None, PyJWK] = {key.key_id: key for key in keys if key.key_id is not None}
    # A token without an id is unambiguous only where there is one key.
    return by_id | ({None: keys[0]} if len(keys) == 1 else {})


def _usable(data: Any) -> PyJWK | None:
    if not isinstance(data, dict) or data.get("use", "sig") != "sig" or data.get("kty") not in {"RSA", "EC"}:
        return None
    try:
        key = PyJWK(data)
        good = key.algorithm_name in ALGORITHMS and key.Algorithm.check_key_length(key.key) is None
    except (PyJWTError, ValueError, TypeError):
        return None
    return key if good and isinstance(key.key_id, str | None) else None
