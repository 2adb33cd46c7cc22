"""The two reports of the example, and the conditions they meet."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

Import = Callable[[str], ModuleType]


def test_both_reports_say_the_same_in_their_own_way(module: Import) -> None:
    """Another layout and another way to compute, but the same sums."""
    sales = module("sales").load_sales()
    header, *lines = module("reports_old").write_report(sales).splitlines()
    new = module("reports_new").write_report(sales)
    months = header.split()[1:-1]
    assert months == new["chart"]["labels"] == [row["month"] for row in new["rows"]]
    series = {one["name"]: one["data"] for one in new["chart"]["series"]}
    assert len(lines) == len(series) == 4
    for line in lines:
        region, *cells, total = line.split()
        assert series[region] == [int(cell) for cell in cells]
        assert new["totals"][region] == int(total)
    assert sum(new["totals"].values()) == pytest.approx(sum(sale.cents for sale in sales) / 100, abs=4)


@pytest.mark.parametrize(
    ("build", "failing", "slow"), [("good", 1, 1), ("errors", 5, 1), ("latency", 1, 13.7)]
)
def test_each_build_has_its_fault_and_no_other(
    module: Import, build: str, failing: float, slow: float
) -> None:
    """Against the old code: how many times as many fail, and how many times as many take over 120 ms."""
    conditions = module("conditions")
    world = conditions.Conditions(seed=7)

    def rates(code: object) -> tuple[float, float, float]:
        durations = [world.seconds(code) for _ in range(40_000)]
        refused = 0
        for _ in durations:
            try:
                world.refuse_some(code)
            except conditions.WarehouseError:
                refused += 1
        mean = sum(durations) / len(durations)
        return refused / len(durations), sum(one > 0.12 for one in durations) / len(durations), mean

    old_failing, old_slow, old_mean = rates(conditions.OLD_CODE)
    new_failing, new_slow, _ = rates(conditions.NEW_CODE[build])
    assert (old_failing, old_mean) == (pytest.approx(0.04, rel=0.15), pytest.approx(0.044, rel=0.05))
    assert new_failing / old_failing == pytest.approx(failing, rel=0.2)
    assert new_slow / old_slow == pytest.approx(slow, rel=0.5)
