"""Idempotency keys as Stripe keeps them (https://docs.stripe.com/api/idempotent_requests)."""

from dataclasses import dataclass, field

from sandbox.stripe.refusals import key_in_use, key_reused, parameter_invalid

LONGEST = 255


@dataclass(slots=True, kw_only=True)
class Answer:
    """What a request was answered with. `should_retry` false: its key would only replay this."""

    status: int
    body: bytes
    request_id: str
    should_retry: bool = True


@dataclass(slots=True, kw_only=True)
class _Kept:
    fingerprint: str
    answer: Answer | None = None


@dataclass(slots=True, kw_only=True)
class Keys:
    """The keys of one account. A key without an answer belongs to a request that is still running."""

    _kept: dict[str, _Kept] = field(default_factory=dict)

    def begin(self, *, key: str, fingerprint: str) -> Answer | None:
        """Take `key`, or get the answer that is kept for it. Raises 409 while it runs, 400 for other parameters."""
        if len(key) > LONGEST:
            raise parameter_invalid(f"Idempotency keys may be at most {LONGEST} characters.", param="idempotency_key")
        kept = self._kept.get(key)
        if kept is None:
            self._kept[key] = _Kept(fingerprint=fingerprint)
            return None
        if kept.fingerprint != fingerprint:
            raise key_reused(key=key)
        if kept.answer is None:
            raise key_in_use(key=key)
        return kept.answer

    def keep(self, *, key: str, answer: Answer) -> None:
        """Store the answer of a request that was carried out."""
        if key in self._kept:
            self._kept[key].answer = answer

    def release(self, key: str) -> None:
        """Free a key whose request was never carried out."""
        self._kept.pop(key, None)

    def forget(self, key: str | None = None) -> None:
        """Forget one key, or all, as Stripe does after 24 hours."""
        if key is None:
            self._kept.clear()
        else:
            self.release(key)
