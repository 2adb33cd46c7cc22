"""In which stages a KPI counts: what the facts say of the parts of a rollout (`during`), as stages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rollway.facts.model import During, Kpi, MethodName, Release
from rollway.planning.model import Plan, Stage
from rollway.planning.words import listing

EVERYONE: During = "everyone"
PARALLEL: During = "parallel"
AT_ONCE: frozenset[MethodName] = frozenset({"blue_green", "big_bang"})
"""Methods that serve nobody until they serve everyone."""
PART_WORDS = {
    "pilot": "the pilot",
    "phased": "the waves",
    "parallel": "the parallel run",
    "canary": "the canary",
    "everyone": "the time when everyone has it",
}

UNWATCHED = "No KPI counts in "
"""How the note begins that says where nothing is watched."""


def is_counted(kpi: Kpi, stage: Stage) -> bool:
    """Whether the KPI counts in a stage.

    A method's name stands for its stages until everyone has the new version; `parallel` for every stage in
    which both versions do the same work and the old one's results count; `everyone` for what comes after.
    """
    if not kpi.during:
        return True
    if stage.exposure.live >= 1:
        return EVERYONE in kpi.during
    is_beside = PARALLEL in kpi.during and stage.exposure.mode != "live"
    return is_beside or stage.method in kpi.during


def counted_stages(kpi: Kpi, stages: Sequence[Stage]) -> tuple[str, ...]:
    """The stages in which it counts, by id."""
    return tuple(stage.id for stage in stages if is_counted(kpi, stage))


def counted_for(release: Release, method: MethodName) -> Release:
    """The release with the KPIs that the method's own stages are made for."""
    part: str = EVERYONE if method in AT_ONCE else method
    return _with(release, (kpi for kpi in release.kpis if not kpi.during or part in kpi.during))


def counted_somewhere(release: Release, stages: Sequence[Stage]) -> Release:
    """The release with the KPIs that count in one of these stages at least."""
    return _with(release, (kpi for kpi in release.kpis if counted_stages(kpi, stages)))


def _with(release: Release, kpis: Iterable[Kpi]) -> Release:
    kept = tuple(kpis)
    return release if kept == release.kpis else release.model_copy(update={"kpis": kept})


def counting_notes(release: Release, stages: Sequence[Stage]) -> Iterator[str]:
    """Which KPIs are left out because the plan has no such part, and which may have no numbers in the end."""
    for kpi in release.kpis:
        if not counted_stages(kpi, stages):
            parts = listing(PART_WORDS[part] for part in kpi.during)
            yield f"'{kpi.name}' is left out: it counts during {parts} only, which this plan does not have."
    bears = [kpi for kpi in release.kpis if kpi.say != "watch"]
    if bears:
        yield from _unwatched(stages, lambda stage: any(is_counted(kpi, stage) for kpi in bears))
    is_said = any(PARALLEL in kpi.during for kpi in release.kpis)
    open_ended = [kpi.name for kpi in release.kpis if kpi.say == "gate" and not kpi.during]
    if open_ended and not is_said and any(stage.exposure.mode != "live" for stage in stages):
        yield (
            "After the cutover nothing is compared any more. A gate that has numbers only while both "
            "versions do the same work would be blind then, and people would have to go on by name: let it "
            f"say `during: [parallel]`. Counted to the end: {listing(open_ended, 3)}."
        )


def with_counting_note(plan: Plan) -> Plan:
    """The plan, which people have changed, with what is to be said now of stages in which no KPI counts."""
    bears = [guard for guard in plan.guards if guard.say != "watch"]
    if not bears:
        return plan
    before = tuple(note for note in plan.notes if note.startswith(UNWATCHED))
    now = tuple(_unwatched(plan.stages, lambda stage: any(guard.counts_in(stage.id) for guard in bears)))
    if before == now:
        return plan
    others = (note for note in plan.notes if note not in before)
    return plan.model_copy(update={"notes": (*others, *now)})


def _unwatched(stages: Sequence[Stage], is_watched: Callable[[Stage], bool]) -> Iterator[str]:
    bare = [stage.title for stage in stages if stage.exposure.live and not is_watched(stage)]
    if bare:
        named = listing((f"'{title}'" for title in bare), 3)
        yield f"{UNWATCHED}{named}: there nothing takes the release back by its numbers."
