"""The benchmark's verdicts: what a row must reach, and when the clock gives way to CPU."""

from __future__ import annotations

from benches.measure import Sample, Series, quantile
from benches.table import Demand, verdict


def test_a_row_is_met_when_its_factor_is_reached() -> None:
    assert verdict(2.3, 3.0, Demand(rate=2.2, cpu=2)) == "yes"
    assert verdict(2.1, 3.0, Demand(rate=2.2, cpu=2)) == "no"
    assert verdict(2.3, 1.5, Demand(rate=2.2, cpu=2)) == "no"


def test_a_difference_under_a_quarter_is_judged_in_cpu() -> None:
    assert verdict(0.9, 1.6, Demand(rate=1.2)) == "yes (CPU)"
    assert verdict(1.1, 0.9, Demand(rate=1.2)) == "no (CPU)"
    assert verdict(0.7, 9.0, Demand(rate=1.0)) == "no"


def test_figures_are_medians_over_the_turns() -> None:
    turns = Series(tuple(Sample(seconds, 10, 0.1 * seconds, (seconds / 10,)) for seconds in (1.0, 2.0, 50.0)))
    assert turns.rate == 5.0
    assert turns.latency(0.5) == 0.2


def test_a_quantile_of_few_values_is_one_of_them() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([1.0], 0.95) == 1.0
