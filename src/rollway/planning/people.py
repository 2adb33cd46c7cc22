"""People before stages: who is trained by then, and the gates without which a stage does not open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollway.facts.model import Group, Release, ThirdParty
from rollway.planning import roles
from rollway.planning.joining import ORGANISATIONAL, joining_groups, reaches_users
from rollway.planning.model import Gate, Message, Stage, Task, Training
from rollway.planning.words import listing, percent, slug
from rollway.readiness.checks.people import TRAINED_ENOUGH

MOST_GATES = 8
"""With more groups than this in one stage a single gate stands for all of them."""

ESSENTIAL = ("before-telemetry", "before-rollback", "before-backup", "before-support")
"""Tasks without which nobody is exposed."""


def minimum_trained(release: Release) -> float:
    """The share of a group that must be trained before it joins."""
    stated = release.stakeholders.training_minimum
    return TRAINED_ENOUGH if stated is None else stated


def needs_training(release: Release, stage: Stage) -> bool:
    """Yes where it is stated; where nothing is, in the methods whose users notice the change."""
    needed = release.stakeholders.training_needed
    return needed.is_true or (not needed.is_false and stage.method in ORGANISATIONAL)


def make_training(release: Release, stages: Sequence[Stage]) -> tuple[Training, ...]:
    """A line for each group, at the stage in which it joins."""
    joining = joining_groups(release, stages)
    return tuple(
        Training(
            stage=stage.id,
            group=group.name,
            minimum=minimum_trained(release),
            trained=group.training_done,
            users=group.users,
            day=group.training_day,
            champion=group.champion,
            language=group.language,
            timezone=group.timezone,
        )
        for stage in stages
        if needs_training(release, stage)
        for group in joining[stage.id]
    )


def make_gates(
    release: Release, stages: Sequence[Stage], runbook: Sequence[Task], messages: Sequence[Message]
) -> tuple[Gate, ...]:
    """What must be true before each stage, in the order of the stages; ids differ."""
    joining = joining_groups(release, stages)
    first = next((stage for stage in stages if reaches_users(stage)), None)
    gates: list[Gate] = []
    was_reversible = True
    for stage in stages:
        if stage is first:
            gates += _tasks(release, stage, runbook)
            gates += (_dependency(stage, party) for party in release.architecture.third_parties)
        if stage.exposure.live > 0:
            gates += _work(stage, runbook)
        if reaches_users(stage):
            gates += _training(release, stage, joining[stage.id], is_first=stage is first)
            gates += _messages(stage, joining[stage.id], messages)
        if was_reversible and not stage.reversible:
            gates.append(_no_return(stage))
        was_reversible = stage.reversible
    return _distinct(gates)


def _training(release: Release, stage: Stage, groups: Sequence[Group], *, is_first: bool) -> Iterator[Gate]:
    if not needs_training(release, stage):
        return
    minimum = minimum_trained(release)
    if len(groups) > MOST_GATES:
        shares = [group.training_done for group in groups]
        known = None if None in shares else min(share for share in shares if share is not None)
        what = f"{percent(minimum)} of each of the {len(groups)} groups that join are trained"
        yield _gate(stage, "training", "all", what, minimum=minimum, known=known, groups=groups)
        return
    for group in groups:
        what = f"{percent(minimum)} of {group.name} are trained"
        yield _gate(
            stage, "training", group.name, what, minimum=minimum, known=group.training_done, groups=(group,)
        )
    if is_first and not release.stakeholders.groups:
        what = f"{percent(minimum)} of those who join are trained"
        yield _gate(stage, "training", "all", what, minimum=minimum)


def _messages(stage: Stage, groups: Sequence[Group], messages: Sequence[Message]) -> Iterator[Gate]:
    by_name = {group.name: group for group in groups}
    for message in messages:
        if message.stage == stage.id and message.kind == "notice" and message.id:
            named = [by_name[message.group]] if message.group in by_name else []
            told = named[0].informed if named else None
            what = f"{message.audience} was told"
            yield _gate(stage, "message", message.id, what, of=message.id, known=_known(told), groups=named)


def _tasks(release: Release, stage: Stage, runbook: Sequence[Task]) -> Iterator[Gate]:
    tests, stakeholders = release.done.tests, release.stakeholders
    known = {
        "before-rollback": tests.rollback_tested.value,
        "before-backup": tests.recovery_tested.value,
        "before-support": stakeholders.support_briefed.value,
    }
    for task in runbook:
        if task.id in ESSENTIAL:
            what = f"Done: {task.title[:1].lower()}{task.title[1:]}"
            yield _gate(stage, "task", task.id, what, of=task.id, known=_known(known.get(task.id)))


def _work(stage: Stage, runbook: Sequence[Task]) -> Iterator[Gate]:
    """Migrated data, and the team's own go/no-go, without which nobody is served in this stage."""
    generated = f"{stage.id}-decide"
    for task in runbook:
        holds = task.id == f"{stage.id}-migrate" or (task.gate and task.id != generated)
        if (task.phase, task.stage) == ("during", stage.id) and holds:
            title = task.title.removeprefix(f"{stage.title}: ")
            yield _gate(stage, "task", task.id, f"Done: {title[:1].lower()}{title[1:]}", of=task.id)


def _dependency(stage: Stage, party: ThirdParty) -> Gate:
    since = f", valid from {party.valid_from}" if party.valid_from else ""
    until = f", valid until {party.valid_until}" if party.valid_until else ""
    what = f"{party.name} ({party.kind}) is ready{since}{until}"
    return _gate(stage, "dependency", party.name, what, of=party.name, known=_known(party.ready))


def _no_return(stage: Stage) -> Gate:
    what = "Somebody with the authority says go: from here on there is no way back"
    return _gate(stage, "person", "no-return", what, decider=roles.BUSINESS_OWNER)


def _gate(
    stage: Stage,
    kind: str,
    name: str,
    what: str,
    *,
    minimum: float | None = None,
    known: float | None = None,
    groups: Sequence[Group] = (),
    of: str = "",
    decider: str = "",
) -> Gate:
    return Gate.model_validate(
        {
            "id": f"{stage.id}-{kind}-{slug(name)}",
            "stage": stage.id,
            "kind": kind,
            "what": what,
            "minimum": minimum,
            "known": known,
            "groups": tuple(group.name for group in groups),
            "of": of,
            "decider": decider,
        }
    )


def _known(told: bool | None) -> float | None:
    return None if told is None else float(told)


def _distinct(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    taken: dict[str, int] = {}
    result: list[Gate] = []
    for gate in gates:
        taken[gate.id] = taken.get(gate.id, 0) + 1
        count = taken[gate.id]
        result.append(gate if count == 1 else gate.model_copy(update={"id": f"{gate.id}-{count}"}))
    return tuple(result)


# --- what a reader should know ----------------------------------------------------------------------


def gate_words(gate: Gate) -> str:
    """`85% of Rome are trained: 60% when this was planned`; what is known in short behind what is asked."""
    if gate.known is None:
        return f"{gate.what}: not known"
    if gate.minimum is not None:
        return f"{gate.what}: {percent(gate.known)} when this was planned"
    return f"{gate.what}: {'yes' if gate.known >= 1 else 'not yet'}"


def people_notes(
    stages: Sequence[Stage], gates: Sequence[Gate], messages: Sequence[Message]
) -> Iterator[str]:
    """Stages that would not open today, and messages that somebody has still to write."""
    for stage in stages:
        shut = [gate_words(gate) for gate in gates if gate.stage == stage.id and gate.is_met is False]
        if shut:
            yield f"The stage '{stage.title}' could not open today. {'; '.join(_some(shut))}."
    by_language: dict[str, list[str]] = {}
    for message in messages:
        if message.to_write:
            by_language.setdefault(message.language, []).append(message.audience)
    for language, audiences in by_language.items():
        whom = listing(dict.fromkeys(audiences), 4)
        count = f"{len(audiences)} messages are" if len(audiences) > 1 else "1 message is"
        yield f"{count} still to be written in '{language}' (stakeholders.wordings), for {whom}."


def _some(lines: Sequence[str], at_most: int = 6) -> list[str]:
    """The first lines, and how many there are beyond."""
    more = [f"and {len(lines) - at_most} more"] if len(lines) > at_most else []
    return [*lines[:at_most], *more]
