"""kill -9 of the engine at random moments of the live examples, and what must still hold afterwards.

python -m tests.faults.crash_matrix --kills 200 [--only canary] [--document]
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

from examples.live.__main__ import NAMES, find
from examples.live.commands import Shell
from examples.live.example import Example, Pace
from examples.live.people import People
from examples.live.play import SETTLED_SECONDS, is_on_evidence, start
from examples.live.servers.reached import status_at
from examples.live.world import World, running
from rollway.app import Rollway

DOCUMENT = Path(__file__).parents[2] / "docs" / "crash-matrix.md"
PACE = Pace(bake=2.5, margin=4, check_every=0.4)
STARTING = 0.3
"""The part of the kills that hit an engine which may still be starting, within its first STARTING_SECONDS."""
STARTING_SECONDS = 3.0
SERVING_SECONDS = 2.5
"""The others hit it within so many seconds from its first answer. All draws are even."""
GIVE_UP_AFTER = 300.0
TASKS = "tasks.log"
"""Commands of runbook tasks write their names into this file, a line for each time that they run."""
SAYS_SO = ("cut_off", "repeat")


@dataclass(frozen=True, slots=True)
class Run:
    """One rollout and its kills. `kills_up` hit an engine that served, the others one that was starting.
    `faults` are the promises that were broken, in words."""

    example: str
    build: str
    kills: int
    kills_up: int
    seconds: float
    phase: str
    requests: int
    unserved: int
    late: int
    intervals: int
    tasks: int
    faults: tuple[str, ...]


class Killer:
    """Kills the engine again and again, and starts it each time."""

    def __init__(self, world: World, chance: random.Random, at_most: int) -> None:
        self._world, self._chance, self._left = world, chance, at_most
        self.kills = self.kills_up = 0
        self._due: float | None = None

    def look(self) -> None:
        """Kill it if its time has come."""
        if not self._left:
            return
        if self._due is None and self._is_up():
            self._due = time.monotonic() + self._chance.uniform(0, SERVING_SECONDS)
        if self._due is not None and time.monotonic() >= self._due:
            self._kill()

    def _kill(self) -> None:
        self.kills_up += self._is_up()
        self._world.engine.stop(signal.SIGKILL)
        self.kills += 1
        self._left -= 1
        self._world.start_engine()
        is_early = self._chance.random() < STARTING
        self._due = time.monotonic() + self._chance.uniform(0, STARTING_SECONDS) if is_early else None

    def _is_up(self) -> bool:
        return status_at(self._world.places.ports["rollway"], "/healthz") == 200


def run_one(example: Example, build: str, chance: random.Random, at_most: int) -> Run:
    """One rollout through at most so many kills."""
    with running(example, build) as world, contextlib.chdir(world.places.folder):
        shell = Shell(world.data, quiet=True)
        rollout = start(shell, example, PACE)
        rollway = Rollway(str(world.data))
        killer, begun = Killer(world, chance, at_most), time.monotonic()
        try:
            people = People(shell, rollway.load(rollout).plan, rollout, waits=False)
            while not (state := rollway.load(rollout).state).is_final:
                if time.monotonic() - begun > GIVE_UP_AFTER:
                    break
                people.look(state)
                killer.look()
                time.sleep(0.03)
            seconds = time.monotonic() - begun
            time.sleep(SETTLED_SECONDS)
            return _seen(world, rollway, rollout, killer, seconds)
        finally:
            rollway.close()


def _seen(world: World, rollway: Rollway, rollout: str, killer: Killer, seconds: float) -> Run:
    counts, readings = world.counts(), rollway.rollouts.readings(rollout)
    is_crash = world.build == "crash"
    faults = [
        *_wrong_end(rollway, rollout, is_good=world.build == "good"),
        *_broken_record(rollway, rollout),
        *_broken_evidence(readings),
        *_doubled_tasks(world, rollway, rollout),
    ]
    if counts["unserved"] and not is_crash:
        reasons = ", ".join(f"{many} {why}" for why, many in counts["unserved_as"].items())
        faults.append(f"{counts['unserved']} requests reached no version ({reasons})")
    return Run(
        example=world.example.name,
        build="good" if world.build == "good" else "bad",
        kills=killer.kills,
        kills_up=killer.kills_up,
        seconds=round(seconds, 1),
        phase=rollway.load(rollout).state.phase,
        requests=sum(counts["served"].values()),
        unserved=counts["unserved"],
        late=counts["late"],
        intervals=len(readings),
        tasks=sum(_tasks_run(world).values()),
        faults=tuple(faults),
    )


def _wrong_end(rollway: Rollway, rollout: str, *, is_good: bool) -> Iterator[str]:
    state = rollway.load(rollout).state
    if state.phase != ("done" if is_good else "rolled_back"):
        yield f"ended as {state.phase}: {state.standing}"
    reason = next((entry.text for entry in rollway.rollouts.record(rollout) if entry.kind == "rollback"), "")
    if not is_good and not is_on_evidence(reason):
        yield f"not taken back on evidence: {reason}"


def _broken_record(rollway: Rollway, rollout: str) -> Iterator[str]:
    entries = rollway.rollouts.record(rollout)
    count, found = rollway.verify_record(rollout)
    if found or [entry.n for entry in entries] != list(range(1, count + 1)):
        yield "the record is not whole"
    entered = Counter(entry.data["stage"] for entry in entries if entry.kind == "stage_entered")
    yield from (f"{stage} was entered {times} times" for stage, times in entered.items() if times > 1)
    kinds = Counter(entry.kind for entry in entries)
    for kind in ("started", "done", "rolled_back", "rollback"):
        if kinds[kind] > 1:
            yield f"{kinds[kind]} entries say {kind}"


def _broken_evidence(readings: Sequence[Any]) -> Iterator[str]:
    """Each reading of a KPI begins where the one before it ended: none is lost, none counted twice."""
    of: dict[str, list[Any]] = defaultdict(list)
    for reading in readings:
        if reading.problem is None:
            of[reading.kpi].append(reading)
    for kpi, series in of.items():
        lost = sum(after.start > before.end for before, after in pairwise(series))
        twice = sum(after.start < before.end for before, after in pairwise(series))
        if lost or twice:
            yield f"{kpi}: {lost} intervals lost, {twice} counted twice"


def _tasks_run(world: World) -> Counter[str]:
    log = world.places.folder / TASKS
    return Counter(log.read_text().split()) if log.exists() else Counter()


def _doubled_tasks(world: World, rollway: Rollway, rollout: str) -> Iterator[str]:
    """Tasks whose command ran more often than once, though the record does not say so."""
    told = Counter(
        next((entry.data[name] for name in ("subject", "task", "undo") if name in entry.data), "")
        for entry in rollway.rollouts.record(rollout)
        if any(word in entry.kind for word in SAYS_SO)
    )
    for task, times in _tasks_run(world).items():
        if times > 1 and not told[task]:
            yield f"task {task} ran {times} times and the record does not say so"


def run_all(names: Sequence[str], kills: int, seed: int, *, each: int = 12) -> Iterator[Run]:
    """Rollouts of these examples in turn, good and bad, until so many kills; at most `each` in one."""
    done = 0
    for number, (name, is_good) in enumerate(cycle((name, good) for name in names for good in (True, False))):
        if done >= kills:
            return
        example = find(name)
        build = "good" if is_good else example.bad
        run = run_one(example, build, random.Random(seed + number), min(each, kills - done))
        done += run.kills
        told = "; ".join(run.faults) or "all held"
        print(
            f"{done:4} kills  {run.example} {run.build}: {run.phase} after {run.seconds:.0f} s and "
            f"{run.kills} kills: {told}",
            flush=True,
        )
        yield run


def table(runs: Sequence[Run]) -> list[str]:
    """One row for each example and build, as Markdown."""
    of: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        of[run.example, run.build].append(run)
    lines = [
        "| example | build | rollouts | kills | of an engine that served | ended right | requests | "
        "reached nobody | given up after 3 s | intervals | task commands | broken promises |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (example, build), group in sorted(of.items()):
        lines.append(_row(example.replace("_", "-"), build, group))
    lines.append(_row("all", "", runs))
    return lines


def _row(example: str, build: str, runs: Sequence[Run]) -> str:
    right = sum(not any("ended as" in fault or "not taken" in fault for fault in run.faults) for run in runs)
    figures = [
        len(runs),
        sum(run.kills for run in runs),
        sum(run.kills_up for run in runs),
        right,
        sum(run.requests for run in runs),
        sum(run.unserved for run in runs),
        sum(run.late for run in runs),
        sum(run.intervals for run in runs),
        sum(run.tasks for run in runs),
        sum(len(run.faults) for run in runs),
    ]
    return f"| {example} | {build} | " + " | ".join(f"{figure:,}" for figure in figures) + " |"


def document(runs: Sequence[Run], asked: argparse.Namespace) -> str:
    """The page with the figures of this run."""
    broken = [f"- {run.example} {run.build}: {fault}" for run in runs for fault in run.faults]
    kills = sum(run.kills for run in runs)
    return "\n".join(
        [
            "# What a crash of the engine does to a rollout",
            "",
            "`rollway serve` was killed with SIGKILL at random moments of the",
            "[live examples](../examples/live/README.md), and started again each time. HAProxy, nginx, Envoy",
            "and Prometheus are real, and users go on asking. After each rollout it was looked whether",
            "",
            "- it ended as it should: the good build done, the bad one taken back on evidence;",
            "- each request reached a version: no share went to one that was not ready (in `blue-green bad`",
            "  the new version dies by itself, and requests of that moment may be lost); users who gave up",
            "  on a busy machine are counted apart;",
            "- the record is whole, and each stage was entered once;",
            "- each interval of evidence begins where the one before ended: none lost, none counted twice;",
            "- no command of a task ran twice without the record saying so.",
            "",
            f"{kills} kills of the {asked.kills} that were asked for, at most {asked.each} in one rollout, "
            f"seed {asked.seed}:",
            "",
            *table(runs),
            "",
            *(["Broken promises:", "", *broken] if broken else ["No promise was broken."]),
            "",
            f"{1 - STARTING:.0%} of the kills come within {SERVING_SECONDS:g} s of its first answer,",
            f"the others within {STARTING_SECONDS:g} s of its start.",
            f"Again: `python -m tests.faults.crash_matrix --kills {asked.kills} --each {asked.each} "
            f"--seed {asked.seed} --document`.",
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill the engine in the live examples, and look what holds.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--each", type=int, default=12, help="kills in one rollout, at most")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", action="append", choices=[name.replace("_", "-") for name in NAMES])
    parser.add_argument("--document", action="store_true", help=f"write {DOCUMENT.name}")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    names = [name.replace("-", "_") for name in arguments.only or NAMES]
    runs: list[Run] = []
    for run in run_all(names, arguments.kills, arguments.seed, each=arguments.each):
        runs.append(run)
        if arguments.document:
            DOCUMENT.write_text(document(runs, arguments), encoding="utf-8")
    print("\n".join(table(runs)))
    return 1 if any(run.faults for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
