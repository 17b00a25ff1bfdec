"""How long to measure: every run is bounded in time and in number."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    rounds: int = 5
    """Each measures ours and the bare thing, in turn; one more before them warms both up."""
    seconds: float = 2.0
    """Of one phase of a round."""
    facts: int = 4000
    """Of one round of the worker."""
    rate: int = 100
    """Webhooks a second through the whole stack."""
    latency_seconds: float = 10.0
    cold: bool = False
    """Also the demo with nothing downloaded yet: 300 MB anew."""
