"""Stripe as it stood when it was recorded, for thousands of copies: what is read once is read from memory."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import stripe
from stripe import StripeClient

STRIPE_ID: Final = re.compile(r"\b((?:in|pi|ch|re|du|cus|cs_test|sub|evt|inpay|il|ii)_[A-Za-z0-9]+)")
OUR_ID: Final = re.compile(r"\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})-[0-9a-f]{4}([0-9a-f]{8})\b")
WORKSPACE: Final = re.compile(r"\b(ws-[0-9a-f]{8})\b")
COPY: Final = re.compile(r"Z([0-9a-f]{4})\b")
READS: Final = ("retrieve_async", "list_async", "create_preview_async")


class StripeWasAskedError(AssertionError):
    """A copy wants something done at Stripe, though all was done when the recording was made."""


def of_copy(text: str, copy: str) -> str:
    """The text with every id of Stripe's and ours as the copy (four hexadecimal digits) has it."""
    ours = WORKSPACE.sub(rf"\1-{copy}", OUR_ID.sub(rf"\1-{copy}\2", text))
    return STRIPE_ID.sub(rf"\1Z{copy}", ours)


def id_of_copy(identity: str, copy: str) -> str:
    """One of our ids."""
    return OUR_ID.sub(rf"\1-{copy}\2", identity)


class ReplayedStripe:
    """A StripeClient that answers reads about copies with what the real one said of the original."""

    def __init__(self, client: StripeClient) -> None:
        self.client = client
        self.answers: dict[str, str | stripe.InvalidRequestError] = {}
        self.v1 = _Path(self, ())

    async def call(self, path: tuple[str, ...], args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        asked = json.dumps([args, {name: params[name] for name in sorted(params) if name != "created"}])
        copies = set(COPY.findall(asked))
        if path[-1] not in READS:
            raise StripeWasAskedError(f"{'.'.join(path)} {asked}")
        (copy,) = copies
        answer = await self._answer(path, COPY.sub("", asked))
        if isinstance(answer, stripe.InvalidRequestError):
            raise answer
        return stripe.convert_to_stripe_object(json.loads(of_copy(answer, copy)), params=params)

    async def _answer(self, path: tuple[str, ...], asked: str) -> str | stripe.InvalidRequestError:
        key = f"{'.'.join(path)} {asked}"
        if key not in self.answers:
            self.answers[key] = await self._ask(path, asked)
        return self.answers[key]

    async def _ask(self, path: tuple[str, ...], asked: str) -> str | stripe.InvalidRequestError:
        call: Any = self.client.v1
        for name in path:
            call = getattr(call, name)
        args, params = json.loads(asked)
        try:
            return json.dumps((await call(*args, params=params)).to_dict(), default=str)
        except stripe.InvalidRequestError as error:
            return error


class _Path:
    def __init__(self, replayed: ReplayedStripe, path: tuple[str, ...]) -> None:
        self._replayed = replayed
        self._path = path

    def __getattr__(self, name: str) -> "_Path":
        return _Path(self._replayed, (*self._path, name))

    async def __call__(self, *args: Any, params: Mapping[str, Any] | None = None, **_: Any) -> Any:
        return await self._replayed.call(self._path, args, params or {})
