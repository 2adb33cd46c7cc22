"""Runs scenarios, keeps each one's result, and shows them."""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import shutil
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rollway.judge
from benchmarks.judge import chart, intervals, measure, noise, speed, table, targets, telemetry
from benchmarks.judge.scenarios import Scenario, all_scenarios

QUICK_RUNS, FULL_RUNS = 200, 2000
CHUNK = 200
MOST_PROCESSES = 2
SPECIAL = {"telemetry": telemetry.measure_all, "check-interval": intervals.measure_all}
OUT = Path("build/judge-benchmark")
FROM_HERE, TO_HERE = "<!-- figures -->", "<!-- end of figures -->"
ONLY_SHOW = ("chart.py", "table.py", "targets.py", "speed.py")


@dataclass(frozen=True, slots=True)
class Job:
    """One scenario to run, and where its result is kept."""

    name: str
    runs: int
    seed: int
    series: Path | None
    out: Path
    code: str

    @property
    def file(self) -> Path:
        return self.out / f"{self.name}.json"

    @property
    def mark(self) -> str:
        """What a kept result must agree in: runs, seed, the series, and the code of judge and benchmark."""
        series = self.series.read_bytes() if self.series else b""
        return hashlib.sha256(f"{self.runs} {self.seed} {self.code}".encode() + series).hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, run what is not there yet, and show everything."""
    wanted = _parser().parse_args(arguments)
    if wanted.speed:
        print("\n".join(speed.lines(speed.measure_all(wanted.seed, quick=not wanted.full))))
        return
    series = noise.read(wanted.csv) if wanted.csv else None
    scenarios = all_scenarios(series)
    names = wanted.scenario or ([*scenarios, *SPECIAL] if series is None else ["series"])
    unknown = [name for name in names if name not in scenarios and name not in SPECIAL]
    if unknown:
        raise SystemExit(f"no scenario {', '.join(unknown)}; there are {', '.join([*scenarios, *SPECIAL])}")
    wanted.out.mkdir(parents=True, exist_ok=True)
    runs = wanted.runs or (FULL_RUNS if wanted.full else QUICK_RUNS)
    # Once for all: a result must not carry the mark of code that was changed while it ran.
    code = _code()
    jobs = [Job(name, runs, wanted.seed, wanted.csv, wanted.out, code) for name in names]
    began = time.perf_counter()
    for name, note in _work([] if wanted.show else jobs, wanted.processes):
        print(f"{time.perf_counter() - began:7.1f} s  {name}: {note}", flush=True)
    results = {job.name: json.loads(job.file.read_text()) for job in jobs}
    report = show(results, scenarios, wanted.out, wanted.document)
    print(f"\n{report}\nKept in {wanted.out}: a JSON file for each scenario, table.md, chart.svg.")


def show(
    results: Mapping[str, Any], scenarios: Mapping[str, Scenario], out: Path, document: Path | None = None
) -> str:
    """Writes table.md and chart.svg beside the results, and into a document; returns the text to print."""
    found = {name: result for name, result in results.items() if name in scenarios}
    parts = [table.text(result) for result in found.values()]
    markdown = table.all_markdown(found) if found else []
    for name, title, rows, head in (
        ("telemetry", "Troubled telemetry", table.telemetry_rows, table.TELEMETRY_HEADS),
        ("check-interval", "Check interval", table.interval_rows, table.INTERVAL_HEADS),
    ):
        if name in results:
            block = table.as_markdown(head, rows(results[name]["found"]))
            parts.append(f"{name}\n{block}")
            markdown.append(f"### {title}\n\n{block}\n")
    checks = targets.check(found, scenarios)
    summary = "\n".join(targets.summary(checks))
    runs = " and ".join(f"{number:,}" for number in sorted({result["runs"] for result in results.values()}))
    figures = "\n".join([f"{runs} runs of each cell.\n", *markdown, f"### Targets\n\n```\n{summary}\n```\n"])
    (out / "table.md").write_text(figures)
    if found:
        (out / "chart.svg").write_text(chart.svg(found))
    if document is not None:
        _put_into(document, figures, out / "chart.svg")
    return "\n\n".join([*parts, "\n".join(map(str, checks))])


def _put_into(document: Path, figures: str, picture: Path) -> None:
    """Replaces what stands between the document's marks, and the picture beside it."""
    before, _, rest = document.read_text().partition(FROM_HERE)
    _, _, after = rest.partition(TO_HERE)
    document.write_text(f"{before}{FROM_HERE}\n{figures}\n{TO_HERE}{after}")
    shutil.copy(picture, document.parent / "images" / "judge-benchmark.svg")


def _work(jobs: list[Job], processes: int) -> Iterator[tuple[str, str]]:
    """Runs the jobs; yields each name with how it went."""
    if processes == 1 or len(jobs) == 1:
        yield from map(run, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(run, jobs)


def run(job: Job) -> tuple[str, str]:
    """Runs one scenario, unless its result is there already, and keeps the result."""
    mark = job.mark
    if job.file.exists() and json.loads(job.file.read_text()).get("mark") == mark:
        return job.name, "kept from before"
    began = time.perf_counter()
    result = {"name": job.name, "runs": job.runs, "seed": job.seed, "mark": mark}
    if job.name in SPECIAL:
        rng = np.random.default_rng([job.seed, zlib.crc32(job.name.encode())])
        result["found"] = SPECIAL[job.name](rng, job.runs)
    else:
        result |= _scenario(job)
    partial = job.file.with_suffix(".partial")
    partial.write_text(json.dumps(result, indent=1))
    partial.replace(job.file)
    return job.name, f"{time.perf_counter() - began:.1f} s"


def _scenario(job: Job) -> dict[str, Any]:
    scenario = all_scenarios(noise.read(job.series) if job.series else None)[job.name]
    sizes = [min(CHUNK, job.runs - done) for done in range(0, job.runs, CHUNK)]
    paths = []
    for is_faulty in (False, True):
        seeds = [[job.seed, zlib.crc32(job.name.encode()), int(is_faulty), i] for i in range(len(sizes))]
        parts = [
            scenario.draw(np.random.default_rng(seed), size, is_faulty)
            for seed, size in zip(seeds, sizes, strict=True)
        ]
        paths.append(measure.join(parts))
    figures = measure.figures(
        *paths, onset_tick=scenario.onset_tick, tick_seconds=scenario.world.tick_seconds
    )
    return {"title": scenario.title, "methods": figures}


def _code() -> str:
    """A hash of the code that the figures depend on."""
    found = hashlib.sha256()
    for room in (Path(rollway.judge.__file__).parent, Path(__file__).parent):
        for path in sorted(room.rglob("*.py")):
            if path.name not in ONLY_SHOW:
                found.update(path.read_bytes())
    return found.hexdigest()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.judge",
        description="How soon is a bad release stopped, how often a good one?",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--quick", action="store_true", help=f"{QUICK_RUNS} runs of each cell (this is the default)"
    )
    form.add_argument(
        "--full",
        action="store_true",
        help=f"{FULL_RUNS:,} runs of each cell; begins where it was interrupted",
    )
    parser.add_argument("--runs", type=int, help="this many runs instead")
    parser.add_argument("--scenario", nargs="+", metavar="NAME", help="only these")
    parser.add_argument(
        "--csv",
        type=Path,
        metavar="NOISE.csv",
        help="a real series with the columns time, trials, bad, as the noise",
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"where results are kept ({OUT})")
    parser.add_argument(
        "--document", type=Path, help="put tables and chart between the marks of this document"
    )
    parser.add_argument("--show", action="store_true", help="run nothing, show what is kept")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--processes", type=int, default=min(MOST_PROCESSES, os.cpu_count() or 1))
    parser.add_argument(
        "--speed", action="store_true", help="readings judged per minute on one core, and nothing else"
    )
    return parser
