"""The benchmark's arithmetic."""

import pytest

from tests.bench.figures import NothingMeasured, percentile, side_by_side, within_limit


def test_a_percentile_is_one_of_the_samples_by_nearest_rank() -> None:
    samples = list(range(100, 0, -1))

    assert [percentile(samples, share) for share in (0, 0.01, 0.5, 0.99, 1)] == [1, 1, 50, 99, 100]


def test_a_percentile_of_few_samples_is_the_worst_rather_than_a_guess() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_of_nothing_there_is_no_figure() -> None:
    with pytest.raises(NothingMeasured):
        percentile([], 0.5)
    with pytest.raises(NothingMeasured):
        side_by_side("x", ours=[], bare=[], unit="/s", wanted="at least", bound=0.8)


def test_the_ratio_is_the_median_of_the_rounds_ratios_so_a_slow_minute_hits_both() -> None:
    figure = side_by_side("x", ours=[80, 8, 90], bare=[100, 10, 100], unit="/s", wanted="at least", bound=0.8)

    assert (figure.ratio, figure.ours, figure.beside, figure.kept) == (0.8, 80, 100, True)


def test_ours_and_bare_have_as_many_rounds() -> None:
    with pytest.raises(ValueError, match="shorter"):
        side_by_side("x", ours=[1, 2], bare=[1], unit="/s", wanted="at least", bound=None)


@pytest.mark.parametrize(("wanted", "kept"), [("at least", False), ("at most", True)])
def test_a_promise_says_in_which_direction(wanted: str, kept: bool) -> None:
    figure = side_by_side("x", ours=[1], bare=[2], unit="/s", wanted=wanted, bound=0.8)  # type: ignore[arg-type]

    assert figure.kept is kept


def test_a_figure_without_a_bare_thing_is_a_share_of_its_limit() -> None:
    assert (within_limit("x", 25, limit=100, unit="ms").ratio, within_limit("x", 101, limit=100, unit="ms").kept) == (
        0.25,
        False,
    )
