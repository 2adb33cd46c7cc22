"""Do plans keep their promises? Each promise of the examples beside what was rehearsed.

    python -m benchmarks.rehearsal                  200 runs of each promise, some minutes
    python -m benchmarks.rehearsal --runs 2000      as the documents quote it, an hour of one core

The promises are foretold from drawn counts of the judge's evidence; the rehearsal draws requests and carries
the real state machine and the real judge through them. The two share the judge's formulas, and no line of
simulation.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rollway.choice import choose
from rollway.errors import RollwayError
from rollway.facts import load_release, without_places
from rollway.planning import Plan, make_plan
from rollway.rehearsal import rehearse_plan, stories, world_of
from rollway.rehearsal.report import promise_rows

EXAMPLES = Path(__file__).parents[1] / "examples"
PLANS = (EXAMPLES / "reporting" / "release.yaml", *sorted((EXAMPLES / "plans").glob("*.yaml")))
RUNS, SEED = 200, 1
HEAD = ["stage", "fault", "caught", "found within", "users meet it", ""]


def measure_plan(plan: Plan, runs: int) -> tuple[list[list[str]], float, float]:
    """The rows of the table; CPU seconds of a healthy run, and of one run of a promise, on average."""
    scenarios = stories(plan, world_of(plan))[:1]
    begin = time.process_time()
    rehearse_plan(plan, scenarios, runs=runs, seed=SEED, with_promises=False)
    healthy = time.process_time() - begin
    begin = time.process_time()
    whole = rehearse_plan(plan, scenarios, runs=2 * runs, seed=SEED)
    promised = max(0.0, time.process_time() - begin - 2 * healthy)
    count = max(1, len(whole.promises)) * runs
    return [promise_rows(kept) for kept in whole.promises], healthy / runs, promised / count


def main() -> None:
    """Print a table for each example."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", help="a part of the example's path")
    options, _ = parser.parse_known_args()
    for path in PLANS:
        name = path.relative_to(EXAMPLES)
        if options.only and options.only not in str(name):
            continue
        try:
            release = without_places(load_release(path))
            rows, healthy, promise = measure_plan(make_plan(release, choose(release)), options.runs)
        except RollwayError as error:
            print(f"\n{name}: cannot be rehearsed: {error.message}")
            continue
        missed = sum(row[-1] == "MISSED" for row in rows)
        print(f"\n{name}: {len(rows)} promises, {missed} missed; {options.runs:,} runs of each")
        print(f"CPU: {1000 * healthy:.0f} ms for a healthy run, {1000 * promise:.0f} ms for one of a promise")
        for row in [HEAD, *rows]:
            print("  " + "  ".join(f"{cell:<18}" for cell in row).rstrip())


if __name__ == "__main__":
    main()
