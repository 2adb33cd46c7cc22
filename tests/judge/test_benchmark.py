"""The benchmark's simulator and its other rules do what they say."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.judge import (
    durations,
    kayenta,
    learned,
    measure,
    noise,
    oracle,
    product,
    rivals,
    run,
    scenarios,
    streams,
    telemetry,
    users,
)
from benchmarks.judge.streams import Counts, Fault, FloatArray, Stream, World
from rollway.judge import GuardRule, Rules, begin, update
from rollway.judge.harm import contributions

WORLD = World(0.02, 100)


def rng(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


def column(*values: float) -> FloatArray:
    """One run's figures by tick."""
    return np.array(values, dtype=np.float64)[:, np.newaxis]


def counts(n_t: FloatArray, d_t: FloatArray, n_c: FloatArray, d_c: FloatArray) -> Counts:
    return Counts(n_t, d_t, n_c, d_c, n_t, d_c * 0)


def test_a_seed_gives_the_same_stream_and_another_seed_another() -> None:
    """Two draws with one seed agree in every count, and a third with another seed does not."""
    world = World(0.02, 50, common_sd=0.4, arm_sd=0.2, drift=3.0)
    first, again, other = (streams.draw(world, Fault(2), rng(s), 6, is_faulty=True) for s in (5, 5, 6))
    assert all(np.array_equal(getattr(first.counts, f), getattr(again.counts, f)) for f in Counts.__slots__)
    assert not np.array_equal(first.counts.candidate_bad, other.counts.candidate_bad)


def test_the_fault_begins_at_its_onset_and_not_before() -> None:
    """From minute 30 on the new version fails five times as often as the old one, before that as often."""
    drawn = streams.draw(WORLD, Fault(5, onset_seconds=1800), rng(), 40, is_faulty=True).counts
    for ticks, ratio in ((slice(None, 30), 1.0), (slice(30, None), 5.0)):
        rate = drawn.candidate_bad[ticks].sum() / drawn.candidate_trials[ticks].sum()
        assert rate == pytest.approx(0.02 * ratio, rel=0.1)
    assert drawn.baseline_bad.sum() / drawn.baseline_trials.sum() == pytest.approx(0.02, rel=0.02)


def test_the_slice_is_as_large_as_the_new_versions_part() -> None:
    """In every stage the slice of the old version has about as many requests as the new version."""
    drawn = streams.draw(WORLD, Fault(1), rng(), 40, is_faulty=False).counts
    for stage in range(3):
        ticks = slice(20 * stage, 20 * stage + 20)
        assert drawn.slice_trials[ticks].sum() == pytest.approx(drawn.candidate_trials[ticks].sum(), rel=0.05)


def test_rows_give_the_same_evidence_as_the_judges_own_door() -> None:
    """Runs side by side in one comparison have the e-values that `update` gives each of them alone."""
    stream = streams.draw(WORLD, Fault(1.3), rng(), 5, is_faulty=True)
    together = product.by_rows(stream.counts, WORLD)
    for one in range(5):
        assert product.by_update(stream.counts, WORLD, one) == pytest.approx(together[:, one], abs=1e-9)


def test_a_run_with_silent_ticks_is_read_by_the_judge_itself() -> None:
    """Where ticks have no request of the new version the scores are those of `update`, not of the rows."""
    world = World(0.05, 1, stage_seconds=600)
    stream = streams.draw(world, Fault(3), rng(), 3, is_faulty=True)
    assert (stream.counts.candidate_trials == 0).any(axis=0).all()
    scores = product.rates(stream)
    rules = Rules((GuardRule(product.KPI, "rate", tolerance=1.0),), planned_seconds=1800)
    state = begin(rules)
    for tick in range(world.ticks):
        reading = telemetry.plain(stream.counts, tick, 0)
        stage, share = world.stage(tick)
        reading = product.reading(world, tick, reading.candidate, reading.baseline)
        assert (reading.stage, reading.share) == (stage, share)
        state = update(rules, state, (reading,))
        assert contributions(rules, state)[0] == pytest.approx(scores[tick, 0], abs=1e-9)


def test_flagger_stops_at_the_tick_after_its_fifth_failed_check() -> None:
    """Failed checks add up and never decrease, and no request at all is a failed check."""
    trials = column(1000, 1000, 0, 1000, 1000, 1000, 1000, 1000)
    bad = column(20, 0, 0, 11, 10, 11, 11, 0)
    failed = rivals.failed_rate_checks(counts(trials, bad, trials, bad))
    assert failed[:, 0].tolist() == [1, 0, 1, 1, 0, 1, 1, 0]
    stopped = measure.stopped_at(rivals.flagger(failed), measure.threshold(measure.FLAGGER, 0.05))
    assert stopped.tolist() == [7]


def test_argo_stops_at_the_first_failed_measurement() -> None:
    """With a failure limit of 0 a single measurement below 99% aborts."""
    trials, bad = column(500, 500, 500), column(5, 6, 0)
    failed = rivals.failed_rate_checks(counts(trials, bad, trials, bad))
    stopped = measure.stopped_at(rivals.argo(failed), measure.threshold(measure.ARGO, 0.05))
    assert stopped.tolist() == [1]


def test_a_p99_of_half_a_second_passes_and_an_unknown_one_fails() -> None:
    """The latency check is at most 500 ms; NaN is a failed check."""
    assert rivals.failed_latency_checks(column(0.5, 0.51, np.nan))[:, 0].tolist() == [0, 1, 1]


def mann_whitney(new: list[float], old: list[float], shift: float) -> float:
    """The statistic from its definition, pair by pair."""
    moved, size = [x - shift for x in new], len(new)
    u = sum((x > y) + 0.5 * (x == y) for x in moved for y in old) - size**2 / 2
    values = moved + old
    ties = sum(values.count(v) ** 3 - values.count(v) for v in set(values))
    both = 2 * size
    deviation = math.sqrt(size**2 / 12 * ((both + 1) - ties / (both * (both - 1))))
    return (u - math.copysign(0.5, u) * (u != 0)) / deviation


def test_kayenta_is_the_mann_whitney_test_at_a_quarter_of_the_shift() -> None:
    """After each point the score is the tie-corrected statistic, as computed pair by pair."""
    new, old = rng().poisson(6, 9).astype(float), rng(6).poisson(4, 9).astype(float)
    scores = kayenta.scores(column(*new), column(*old))[:, 0]
    assert np.all(scores[: kayenta.FIRST_LOOK - 1] == -np.inf)
    for points in range(kayenta.FIRST_LOOK, 10):
        x, y = new[:points].tolist(), old[:points].tolist()
        bound = 0.25 * abs(float(np.median([a - b for a in x for b in y])))
        is_told = np.mean(x) >= np.mean(y) and mann_whitney(x, y, 0.0) > kayenta.LEAST
        expected = mann_whitney(x, y, bound) if is_told else -np.inf
        assert scores[points - 1] == pytest.approx(expected)


def test_kayenta_says_high_of_series_that_do_not_overlap_and_nothing_of_equal_ones() -> None:
    """Five points above all others are "High"; the same series twice never is."""
    low, high = column(1, 2, 3, 4, 5, 6), column(11, 12, 13, 14, 15, 16)
    above = kayenta.scores(high, low)[:, 0] >= kayenta.QUANTILE
    assert above.tolist() == [False] * 4 + [True] * 2
    assert not (kayenta.scores(low, low) >= kayenta.QUANTILE).any()
    assert not (kayenta.scores(low, high) >= kayenta.QUANTILE).any()


def test_the_pooled_sequence_stops_exactly_where_its_interval_excludes_zero() -> None:
    """It says yes where the difference exceeds s sqrt(2 (N r + 1)/(N^2 r) log(sqrt(N r + 1)/alpha))."""
    stream = streams.draw(World(0.05, 20), Fault(1.5), rng(), 20, is_faulty=True).counts
    sums, alpha = rivals.sums_of(stream), 0.05
    n_t, n_c = stream.candidate_trials.cumsum(axis=0), stream.baseline_trials.cumsum(axis=0)
    p_t, p_c = stream.candidate_bad.cumsum(axis=0) / n_t, stream.baseline_bad.cumsum(axis=0) / n_c
    both, nats = n_t + n_c, -2 * math.log(alpha)
    rho = (nats + math.log(nats + 1)) / 5000
    spread = np.sqrt(both * (p_t * (1 - p_t) / n_t + p_c * (1 - p_c) / n_c))
    half = spread * np.sqrt(2 * (both * rho + 1) / (both**2 * rho) * np.log(np.sqrt(both * rho + 1) / alpha))
    told = (p_t > 0) & (p_c > 0)
    is_over = rivals.pooled_sequence(sums) >= math.log(1 / alpha)
    assert is_over[told].any()
    assert np.array_equal(is_over[told], (p_t - p_c > half)[told])


def test_pooling_is_fooled_by_drift_and_comparing_tick_by_tick_is_not() -> None:
    """Two alike versions whose common rate trebles with the ramp: only the pooled tests see a difference."""
    n_t, n_c = column(100, 5000), column(9900, 5000)
    sums = rivals.sums_of(counts(n_t, column(1, 150), n_c, column(99, 150)))
    assert rivals.pooled_z(sums)[-1, 0] > 4
    assert rivals.stratified_sequence(sums)[-1, 0] < 0


def test_the_limit_is_the_likelihood_ratio_of_the_new_versions_requests() -> None:
    """3 bad of 10 at 30% against 10%, from the fault's first tick on; before it, nothing."""
    one = counts(column(10, 10), column(3, 3), column(90, 90), column(9, 9))
    stream = Stream(WORLD, one, column(0.1, 0.1), np.array([1.0, 3.0]))
    expected = 3 * math.log(3) + 7 * math.log(0.7 / 0.9)
    assert oracle.wald(stream)[:, 0] == pytest.approx([0.0, expected])
    labels = 3 * math.log(3) - 12 * math.log((10 * 3 + 90) / 100)
    assert oracle.two_sample(stream)[:, 0] == pytest.approx([0.0, labels])
    mixture = math.log((math.exp(2 * expected) + math.exp(expected)) / 2)
    assert oracle.shiryaev(stream)[-1, 0] == pytest.approx(mixture)


def test_exposure_counts_from_the_onset_and_a_missed_fault_costs_everything() -> None:
    """Of three runs one was stopped before the fault (not counted), one after two ticks, one never."""
    served = np.tile(column(10, 20, 30, 40), (1, 3))
    scores = np.array([[9, 0, 0], [9, 0, 0], [9, 9, 0], [9, 9, 0]], dtype=float)
    healthy = measure.Paths(served, {measure.LIMIT: np.zeros((4, 3))})
    faulty = measure.Paths(served, {measure.LIMIT: scores})
    told = measure.figures(healthy, faulty, onset_tick=1, tick_seconds=60)[measure.LIMIT]["0.05"]
    assert told["missed"] == 0.5
    assert told["exposed"] == pytest.approx((20 + 30) / 2)


def test_the_matched_threshold_stops_one_healthy_run_in_twenty() -> None:
    """At the threshold at most 5% of the healthy runs are stopped, and just below it more."""
    scores = rng().normal(size=(3, 400))
    at = measure.matched_threshold(scores)
    assert (scores.max(axis=0) >= at).mean() == 0.05
    assert (scores.max(axis=0) >= np.nextafter(at, -1)).mean() > 0.05


def test_a_slow_tail_moves_p99_and_leaves_p95_alone() -> None:
    """The law of a tail fault has p99 10% later and the same part above p95."""
    old, slow = durations.law(durations.scaled(1.0)), durations.law(durations.tail(1.1))
    p99 = [float(durations.p99(law * 1e6, durations.ALL_BOUNDS)) for law in (old, slow)]
    assert p99[1] / p99[0] == pytest.approx(1.1, abs=0.01)
    below = np.searchsorted(durations.ALL_BOUNDS, 0.25)
    assert slow[:below].sum() == pytest.approx(old[:below].sum(), abs=1e-9)


def test_merged_buckets_hold_the_same_requests() -> None:
    """Counts on classic bounds are those of the finer grid, bound by bound."""
    fine = rng().poisson(5, len(durations.ALL_BOUNDS) + 1).astype(float)
    classic = durations.merged(fine, durations.CLASSIC)
    below = [fine[: durations.ALL_BOUNDS.index(bound) + 1].sum() for bound in durations.CLASSIC]
    assert classic.cumsum()[:-1].tolist() == below
    assert classic.sum() == fine.sum()


def test_a_user_meets_a_third_failure_only_after_a_first() -> None:
    """Over a rollout no more users reach depth three than depth one, and the bug adds to both."""
    world = World(0.0, 200)
    healthy, faulty = (users.draw(world, rng(), 4, is_faulty=bad).reached for bad in (False, True))
    assert (healthy[1].sum(axis=1) <= healthy[0].sum(axis=1)).all()
    assert (faulty[:, 0].sum() > 1.3 * healthy[:, 0].sum()).all()


def test_history_becomes_blocks_that_noise_can_be_learned_from() -> None:
    """Five minutes to a block, an hour between rollouts, every request counted once."""
    drawn = streams.draw(WORLD, Fault(1), rng(), 3, is_faulty=False).counts
    blocks = learned.blocks_of(drawn, WORLD)
    assert blocks.candidate_trials.shape == (36, 1)
    assert blocks.candidate_trials.sum() == drawn.candidate_trials.sum()
    assert blocks.starts[12] - blocks.starts[11] == 300 + 3600


def test_a_series_lends_its_rate_and_its_traffic(tmp_path: Path) -> None:
    """Rates and requests per second come from the file's rows, in their order, round and round."""
    file = tmp_path / "noise.csv"
    rows = [f"{60 * i},{600 + 60 * i},{6 + i}" for i in range(12)]
    file.write_text("\n".join(["time,trials,bad", *rows]))
    rates, traffic = noise.read(file).sample(rng(), (24, 5), 60.0)
    assert np.array_equal(rates[:12], rates[12:])
    assert set(np.round(traffic[:, 0])) == {10.0 + i for i in range(12)}
    file.write_text("when,trials,bad\n1,2,3")
    with pytest.raises(ValueError, match="columns time, trials and bad"):
        noise.read(file)


def test_late_failures_are_seen_later_and_none_is_lost_but_the_last() -> None:
    """What is reported two ticks late is missing at first and there two ticks on."""
    one = counts(*(column(*row) for row in ((9, 9, 9), (1, 2, 3), (9, 9, 9), (0, 0, 0))))
    late = telemetry.late(one)
    assert late.candidate_bad[:, 0].tolist() == [0, 0, 1]
    assert late.candidate_trials[:, 0].tolist() == [8, 7, 7]


def test_a_scenarios_result_is_kept_and_not_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command writes a result, a table and a chart; a second call keeps what is there."""
    monkeypatch.setattr(run, "_code", lambda: "the same code")
    asked = ["--runs", "4", "--processes", "1", "--out", str(tmp_path), "--scenario", "errors-1-to-5-at-100"]
    run.main(asked)
    first = capsys.readouterr().out
    result = json.loads((tmp_path / "errors-1-to-5-at-100.json").read_text())
    assert result["runs"] == 4
    assert set(result["methods"]) >= {measure.LIMIT, measure.ROLLWAY, measure.KAYENTA}
    assert "x limit" in first
    assert "false rollbacks" in first
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")
    run.main(asked)
    assert "kept from before" in capsys.readouterr().out


def test_every_scenario_says_what_it_is() -> None:
    """Names are unique, and every target names a scenario that exists."""
    from benchmarks.judge import targets

    known = scenarios.all_scenarios()
    assert {*targets.MOST_TIMES_LIMIT, *targets.NOISY} <= set(known)
    assert len({each.title for each in known.values()}) == len(known)
