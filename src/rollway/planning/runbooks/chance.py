"""How long the cutover may take: many nights drawn from rehearsed times, along the network, in NumPy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rollway.errors import InputError
from rollway.planning.runbooks.model import Runbook, Task, UndoStep
from rollway.planning.runbooks.network import ordered
from rollway.planning.runbooks.schedule import floors

Floats = NDArray[np.float64]
Law = Literal["lognormal", "empirical"]

Z90 = 1.2815515655446004
"""The 90 percent point of the standard normal law."""
SPREAD = math.log(1.5) / Z90
"""Before any rehearsal: a standard deviation of log time at which P90 is 1.5 times the median, the
usual rule for windows (0.316)."""
PRIOR_LOOKS = 4.0
"""How many rehearsals this belief about the spread counts as."""
SHARED = 0.1
"""Standard deviation of the log factor that all tasks of one night have in common."""
LONGEST_NIGHT = 12 * 3600.0
"""A wait of this length is no part of a night whose window is not known."""
CELLS_AT_ONCE = 1_000_000
"""How many drawn times are held in memory at once: 8 MB."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How nights are drawn. `shared` and `spread` are standard deviations of log time."""

    runs: int = 10_000
    seed: int = 1
    law: Law = "lognormal"
    shared: float = SHARED
    spread: float = SPREAD


@dataclass(frozen=True, slots=True)
class Nights:
    """What happened in each drawn night, in seconds from T; every array has the shape (runs,).

    `finish` is the end of the last task of the phase `during` (of all where there is none). `no_return`
    is the start of the first task that cannot be taken back, infinite where there is none. `back` is how
    long the undo steps take that are needed right before that start, or at the finish where there is none.
    `last_call` is the last moment at which the word to go back is still in time; see `turning`.
    `gates_safe` (runs, gates) says whether a no at the gate's end is in time; a gate needs no time besides
    its own to decide.
    """

    finish: Floats
    no_return: Floats
    back: Floats
    last_call: Floats
    gates_safe: NDArray[np.bool_]


def simulate(runbook: Runbook, settings: Settings = Settings()) -> Nights:
    """Draw `runs` nights. The same runbook and settings give the same numbers.

    Of a plan's runbook only the stage counts whose entering is T.
    """
    from rollway.planning.runbooks.turning import last_calls

    runbook = night_of(runbook)
    network = _Network.of(runbook)
    window = runbook.window_seconds
    limit = np.inf if window is None else window
    parts: list[tuple[NDArray[Any], ...]] = []
    for work, undo in _drawn(runbook, settings):
        start, end = network.run(work[network.order])
        finish = end[network.counts].max(axis=0)
        no_return = start[network.final].min(axis=0, initial=np.inf)
        needed = network.needed(start)
        stop = np.minimum(no_return, finish)
        back = np.where(needed < stop, undo, 0.0).sum(axis=0)
        calls = last_calls(needed, undo, limit - runbook.decision, no_return)
        answered = last_calls(needed, undo, limit, no_return)
        parts.append((finish, no_return, back, calls, (end[network.gates] <= answered).T))
    return Nights(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def night_of(runbook: Runbook) -> Runbook:
    """The runbook of the stage whose entering is T: what runs from then on, without what came before.

    A runbook without stages is that already. Waits that outlast the window (a bake of days) are no work of
    the night and are left out. Raises InputError where nothing is left.
    """
    if not runbook.stages:
        return runbook
    window = LONGEST_NIGHT if runbook.window_seconds is None else runbook.window_seconds
    inside = [
        task
        for task in runbook.tasks
        if task.phase == "during"
        and task.stage == runbook.night
        and not (task.is_wait and task.seconds >= window)
    ]
    if not inside:
        raise InputError("this runbook has no task during the stage that is entered at T")
    names = {task.id for task in inside}
    tasks = tuple(replace(task, after=tuple(name for name in task.after if name in names)) for task in inside)
    return replace(runbook, tasks=tasks)


@dataclass(frozen=True, slots=True)
class _Network:
    """The tasks in an order of work, as rows of arrays with one column for each night."""

    order: NDArray[np.intp]
    after: tuple[NDArray[np.intp], ...]
    floor: Floats
    counts: NDArray[np.intp]
    final: NDArray[np.intp]
    gates: NDArray[np.intp]
    steps: tuple[NDArray[np.intp], ...]

    @classmethod
    def of(cls, runbook: Runbook) -> _Network:
        names = ordered({task.id: task.after for task in runbook.tasks})
        row = {name: place for place, name in enumerate(names)}
        tasks = [runbook.tasks[runbook.index[name]] for name in names]
        earliest = floors(runbook)
        during = [place for place, task in enumerate(tasks) if task.phase == "during"]
        return cls(
            _rows(runbook.index[name] for name in names),
            tuple(_rows(row[name] for name in task.after) for task in tasks),
            np.array([earliest[name] for name in names]),
            _rows(during or range(len(tasks))),
            _rows(place for place, task in enumerate(tasks) if not task.reversible),
            _rows(row[task.id] for task in runbook.tasks if task.gate),
            tuple(
                _rows(place for place, task in enumerate(tasks) if step.id in task.undo)
                for step in runbook.undo
            ),
        )

    def run(self, work: Floats) -> tuple[Floats, Floats]:
        """Starts and ends (tasks x nights): start = max(floor, ends of the predecessors)."""
        start, end = np.empty_like(work), np.empty_like(work)
        for place, before in enumerate(self.after):
            begun = (
                np.maximum(end[before].max(axis=0), self.floor[place]) if len(before) else self.floor[place]
            )
            start[place] = begun
            end[place] = start[place] + work[place]
        return start, end

    def needed(self, start: Floats) -> Floats:
        """From when on each undo step is needed (steps x nights); -inf where no task names it."""
        rows = [
            start[places].min(axis=0) if len(places) else np.full(start.shape[1], -np.inf)
            for places in self.steps
        ]
        return np.array(rows).reshape(len(rows), start.shape[1])


def _rows(places: Iterable[int]) -> NDArray[np.intp]:
    return np.fromiter(places, dtype=np.intp)


# --- times ------------------------------------------------------------------------------------------


def _drawn(runbook: Runbook, settings: Settings) -> Iterator[tuple[Floats, Floats]]:
    """Batches of drawn times: (tasks x nights) and (undo steps x nights)."""
    parts: list[Task | UndoStep] = [*runbook.tasks, *runbook.undo]
    draw = _Times(parts, settings)
    generator = np.random.default_rng(settings.seed)
    batch = max(1, min(settings.runs, CELLS_AT_ONCE // len(parts)))
    for begun in range(0, settings.runs, batch):
        drawn = draw(generator, min(batch, settings.runs - begun))
        yield drawn[: len(runbook.tasks)], drawn[len(runbook.tasks) :]


class _Times:
    """Draws times for tasks: each from its rehearsals, or from the plan where it was never rehearsed.

    lognormal: log time is normal with unknown mean and variance. The belief about the variance is an
    inverse gamma law with mean SPREAD^2 that weighs as much as PRIOR_LOOKS rehearsals, the one about the mean
    is flat. After n rehearsals with mean m and sum of squares q (of log times) the next log time has mean m
    and variance (Gelman et al., Bayesian Data Analysis, 3rd edition, section 3.3)

        s^2 = (PRIOR_LOOKS SPREAD^2 + q) / (PRIOR_LOOKS + n - 1) * (1 + 1/n)

    so few rehearsals promise little. A normal law with these two stands for the t law that belongs to it,
    whose exponential has no mean: of a thousand tasks one would take years. A planned time without
    rehearsals counts as one rehearsal; one with a stated P90 has log mean log d and log deviation
    log(P90/d) / 1.28, and where P90 = d it is a fixed time that no slow night makes longer.
    empirical: one of the rehearsed times, each as likely as the other; without any, as above.
    A planned time of 0 s is a mark and takes no time.
    """

    def __init__(self, parts: Sequence[Task | UndoStep], settings: Settings) -> None:
        self._settings = settings
        known = [part.rehearsed or (_planned(part),) for part in parts]
        self._marks = np.array([samples[0] <= 0 for samples in known], dtype=bool)[:, None]
        fits = [
            stated(part) or predictive(samples, settings.spread)
            for part, samples in zip(parts, known, strict=True)
        ]
        self._centre, self._scale = (np.array(column)[:, None] for column in zip(*fits, strict=True))
        self._resampled = np.array(
            [place for place, part in enumerate(parts) if part.rehearsed and settings.law == "empirical"],
            dtype=np.intp,
        )
        self._samples = [np.array(known[place]) for place in self._resampled]

    def __call__(self, generator: np.random.Generator, nights: int) -> Floats:
        shape = (len(self._centre), nights)
        times = np.exp(self._centre + self._scale * generator.standard_normal(shape))
        for place, samples in zip(self._resampled, self._samples, strict=True):
            times[place] = samples[generator.integers(len(samples), size=nights)]
        factor = np.exp(self._settings.shared * generator.standard_normal(nights))
        slow: Floats = np.where(self._scale == 0, 1.0, factor)
        drawn: Floats = np.where(self._marks, 0.0, times) * slow
        return drawn


def usual_and_long(part: Task | UndoStep) -> tuple[float, float] | None:
    """P50 and P90 of the next time in seconds; None for a mark without length."""
    samples = part.rehearsed or (_planned(part),)
    if samples[0] <= 0:
        return None
    centre, scale = stated(part) or predictive(samples)
    return math.exp(centre), math.exp(centre + Z90 * scale)


def stated(part: Task | UndoStep) -> tuple[float, float] | None:
    """Mean and standard deviation of the log time where a P90 is stated and nothing was rehearsed."""
    if part.rehearsed or part.p90 is None or not part.duration:
        return None
    return math.log(part.duration), max(0.0, math.log(part.p90 / part.duration)) / Z90


def _planned(part: Task | UndoStep) -> float:
    return part.duration or 0.0


def predictive(samples: Sequence[float], spread: float = SPREAD) -> tuple[float, float]:
    """Mean and standard deviation of the next log time; see `_Times`."""
    logs = np.log(np.maximum(samples, 1e-9))
    count = len(logs)
    squares = float(((logs - logs.mean()) ** 2).sum())
    variance = (PRIOR_LOOKS * spread**2 + squares) / (PRIOR_LOOKS + count - 1) * (1 + 1 / count)
    return float(logs.mean()), math.sqrt(variance)
