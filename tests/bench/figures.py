"""The benchmark's arithmetic: percentiles, medians, and figures that are ratios first."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

Wanted = Literal["at least", "at most"]
SIGNS: Final = {"at least": "≥", "at most": "≤"}


class NothingMeasured(ValueError):  # noqa: N818 - named for what it says
    """A figure was asked of no samples at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. `beside` is what ours is compared with: the bare thing, or the limit we set ourselves."""

    measure: str
    ratio: float
    wanted: Wanted
    bound: float | None
    """The ratio of DESIGN §10; None where nothing is promised."""
    ours: float
    beside: float
    unit: str
    note: str = ""

    @property
    def promise(self) -> str:
        """As the table shows it."""
        return "" if self.bound is None else f"{SIGNS[self.wanted]} {self.bound:.2f}"

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept in this run; None where nothing is promised."""
        if self.bound is None:
            return None
        return self.ratio >= self.bound if self.wanted == "at least" else self.ratio <= self.bound


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` (0 to 1) of all do not exceed. Raises NothingMeasured."""
    if not samples:
        raise NothingMeasured
    rank = max(1, math.ceil(round(share * len(samples), 9)))
    return sorted(samples)[rank - 1]


def side_by_side(
    measure: str,
    *,
    ours: Sequence[float],
    bare: Sequence[float],
    unit: str,
    wanted: Wanted,
    bound: float | None,
    note: str = "",
) -> Figure:
    """Rounds in turn, ours and bare: the median of the rounds' ratios, so that a slow minute hits both alike."""
    if not ours:
        raise NothingMeasured(measure)
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    return Figure(
        measure=measure,
        ratio=median(ratios),
        wanted=wanted,
        bound=bound,
        ours=median(ours),
        beside=median(bare),
        unit=unit,
        note=f"{note}; rounds {min(ratios):.2f} to {max(ratios):.2f}".removeprefix("; "),
    )


def within_limit(measure: str, value: float, *, limit: float, unit: str, note: str = "") -> Figure:
    """A figure that has no bare thing beside it: its share of the limit that DESIGN §10 sets."""
    return Figure(
        measure=measure,
        ratio=value / limit,
        wanted="at most",
        bound=1.0,
        ours=value,
        beside=limit,
        unit=unit,
        note=note,
    )
