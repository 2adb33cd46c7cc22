"""Do plans keep their promises? Each promise of the examples beside what was rehearsed.

    python -m benchmarks.rehearsal                   200 runs of each promise, some minutes
    python -m benchmarks.rehearsal --runs 2000       as the document quotes it, an hour of one core
    python -m benchmarks.rehearsal --only pilot      one example; what the others had is kept
    python -m benchmarks.rehearsal --show --document docs/rehearsal.md     renews the document's figures

The promises are foretold from drawn counts of the judge's evidence; the rehearsal draws requests and carries
the real state machine and the real judge through them. The two share the judge's formulas and what durations
are taken to be, and no line of simulation.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rollway.choice import choose
from rollway.errors import RollwayError
from rollway.facts import load_release, without_places
from rollway.planning import Plan, make_plan
from rollway.planning.words import about, times
from rollway.rehearsal import Kept, stories, world_of
from rollway.rehearsal.many import TRUSTED, standard_error
from rollway.rehearsal.whole import rehearse_promises

EXAMPLES = Path(__file__).parents[1] / "examples"
PLANS = (EXAMPLES / "reporting" / "release.yaml", *sorted((EXAMPLES / "plans").glob("*.yaml")))
KEPT = Path("build/rehearsal-benchmark")
RUNS, SEED = 200, 1
BEGINS, ENDS = "<!-- figures -->", "<!-- end of figures -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One promise: chances 0..1 that the fault is found, and the seconds that takes on average."""

    stage: str
    kpi: str
    ratio: float
    promised: float
    rehearsed: float
    promised_seconds: float | None
    rehearsed_seconds: float | None

    @property
    def difference(self) -> float:
        return self.rehearsed - self.promised


@dataclass(frozen=True, slots=True)
class Table:
    """All promises of one example with a chance; `cpu_seconds`: what carrying them out took."""

    name: str
    plan: str
    runs: int
    cpu_seconds: float
    rows: tuple[Row, ...]

    def error(self, row: Row) -> float:
        """The standard error of what was rehearsed; as if one run more had ended otherwise."""
        chance = (row.rehearsed * self.runs + 0.5) / (self.runs + 1)
        return standard_error(chance, self.runs)


def measure(name: str, plan: Plan, runs: int) -> Table:
    """Carry out every promise of the plan so many times."""
    begin = time.process_time()
    kept = rehearse_promises(plan, stories(plan, world_of(plan))[0], runs=runs, seed=SEED)
    spent = time.process_time() - begin
    rows = tuple(row for each in kept for row in _rows(each))
    return Table(name, plan.hash, runs, spent, rows)


def _rows(kept: Kept) -> Iterator[Row]:
    figures = {figure.name: figure for figure in kept.figures}
    chance, seconds = figures.get("probability"), figures.get("rollback_seconds")
    if chance is None:
        return
    yield Row(
        kept.stage,
        kept.promise.kpi,
        kept.promise.ratio,
        chance.promised,
        chance.rehearsed,
        None if seconds is None else seconds.promised,
        None if seconds is None else seconds.rehearsed,
    )


def worst(tables: Sequence[Table]) -> str:
    """How many chances are off by more than is promised, and by how much the worst is."""
    rows = [(table, row) for table in tables for row in table.rows]
    off = [(table, row) for table, row in rows if abs(row.difference) > TRUSTED]
    surely = [row for table, row in off if abs(row.difference) > TRUSTED + 2 * table.error(row)]
    largest = max(rows, key=lambda pair: abs(pair[1].difference), default=None)
    if largest is None:
        return "No promise has a chance."
    table, row = largest
    points, within = f"{100 * TRUSTED:.0f} points", len(rows) - len(off)
    return (
        f"{len(rows)} chances; {within} are within {points} of what was rehearsed, and {len(surely)} are off "
        f"by more than {points} and two standard errors. The largest difference: "
        f"{100 * row.difference:+.1f} points (standard error {100 * table.error(row):.1f}), {row.kpi} "
        f"{times(row.ratio)} in {row.stage} of {table.name}."
    )


def lines(table: Table) -> Iterator[str]:
    """A table in Markdown."""
    yield "| stage | fault | promised | rehearsed | difference | standard error | found within |"
    yield "|---|---|---|---|---|---|---|"
    for row in table.rows:
        cells = (
            row.stage,
            f"{row.kpi} {times(row.ratio)}",
            f"{row.promised:.1%}",
            f"{row.rehearsed:.1%}",
            f"{100 * row.difference:+.1f}{' **!**' if abs(row.difference) > TRUSTED else ''}",
            f"{100 * table.error(row):.1f}",
            _lasted(row),
        )
        yield f"| {' | '.join(cells)} |"


def _lasted(row: Row) -> str:
    if row.promised_seconds is None or row.rehearsed_seconds is None:
        return ""
    return f"{about(row.promised_seconds)} / {about(row.rehearsed_seconds)}"


def text(tables: Sequence[Table]) -> str:
    """All tables, as they stand in the document."""
    found = [worst(tables), ""]
    for table in tables:
        count = max(1, len(table.rows) * table.runs)
        cost = f"{1000 * table.cpu_seconds / count:.0f} ms of CPU each"
        found += [f"**{table.name}**, {table.runs:,} runs of each promise, {cost}:", "", *lines(table), ""]
    return "\n".join(found).rstrip()


def renew(document: Path, tables: Sequence[Table]) -> None:
    """Put the figures between the document's marks."""
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    document.write_text(f"{before}{BEGINS}\n{text(tables)}\n\n{ENDS}{after}", encoding="utf-8")


def load(path: Path) -> Table:
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Table(**{**raw, "rows": tuple(Row(**row) for row in raw["rows"])})


def main() -> None:
    """Carry the promises out, keep what came of it, and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", default="", help="a part of the example's path")
    parser.add_argument("--show", action="store_true", help="what is kept, without running anything")
    parser.add_argument("--document", type=Path, help="the document whose figures are renewed")
    options, _ = parser.parse_known_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    tables = []
    for path in PLANS:
        name = str(path.relative_to(EXAMPLES))
        kept = KEPT / f"{name.replace('/', '-')}.json"
        if not options.show and options.only in name:
            _run(path, name, kept, options.runs)
        if kept.exists():
            tables.append(load(kept))
    print(text(tables))
    if options.document:
        renew(options.document, tables)


def _run(path: Path, name: str, kept: Path, runs: int) -> None:
    release = without_places(load_release(path))
    plan = make_plan(release, choose(release))
    if not any(promise.probability is not None for promise in plan.promises):
        return
    try:
        table = measure(name, plan, runs)
    except RollwayError as error:
        print(f"{name}: cannot be rehearsed: {error.message}\n")
        return
    kept.write_text(json.dumps(asdict(table), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
