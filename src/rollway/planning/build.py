"""From a release and a choice to a plan: pure, so that the same facts give the same bytes."""

from __future__ import annotations

from pydantic import ValidationError

from rollway.choice.model import Choice, Ranked
from rollway.errors import InputError, RefusedError
from rollway.facts.listing import facts_hash
from rollway.facts.model import MethodName, Release
from rollway.planning.calendar.model import Calendar
from rollway.planning.calendar.of_release import calendar_of_plan
from rollway.planning.control_group import with_control_group
from rollway.planning.counting import counted_for, counted_somewhere, counting_notes
from rollway.planning.messages import make_messages
from rollway.planning.methods import BUILDERS
from rollway.planning.model import Plan, Stage, Task
from rollway.planning.notes import make_notes
from rollway.planning.people import make_gates, make_training, people_notes
from rollway.planning.policy import make_guards, make_policy
from rollway.planning.promises import with_promises
from rollway.planning.responses import make_responses
from rollway.planning.rollback_clock import with_clock
from rollway.planning.runbook import task_ids
from rollway.planning.runbooks.model import Runbook
from rollway.planning.stages import join, proven
from rollway.planning.support import make_support, support_notes
from rollway.planning.team_runbook import after_no_return, write_script


def make_plan(
    release: Release, choice: Choice, runbook: Runbook | None = None, calendar: Calendar | None = None
) -> Plan:
    """The plan for the chosen method, or for the sequence of methods that the choice names.

    `runbook` is the team's own, which is put together with the one that is made from the facts. Of an
    organisation's `calendar` the plan keeps what concerns the release.

    Raises RefusedError where no method was chosen, or where a method's hard rule is violated; the details
    say which rule, and what lifts it. Raises InputError where the release's own figures give a plan that
    cannot work (a KPI named twice, a time zone that does not exist, a bake of ten years).
    """
    methods = _methods(choice)
    try:
        made = _plan(release, choice, methods, runbook)
        return made if calendar is None else _with_calendar(made, release, calendar)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InputError(
            "these facts give a plan that cannot work",
            details=tuple(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found),
            hint="mend the KPIs, windows or wishes (rollout) that these lines come from",
        ) from error


def _plan(release: Release, choice: Choice, methods: tuple[MethodName, ...], book: Runbook | None) -> Plan:
    stated = release
    stages = proven(release, join([BUILDERS[method](counted_for(release, method)) for method in methods]))
    stages = with_control_group(release, stages)
    release = counted_somewhere(release, stages)
    script = write_script(release, stages, book)
    runbook = script.tasks
    stages = after_no_return(stages, runbook)
    messages = make_messages(release, stages)
    gates = make_gates(release, stages, runbook, messages)
    support = make_support(release, stages)
    identity, agreements = release.release, release.agreements
    plan = Plan(
        name=identity.name,
        version=identity.version,
        title=identity.title or identity.name,
        service=identity.service,
        prepared_by=identity.prepared_by,
        objective=release.goals.objective,
        method=methods[-1] if choice.chosen is None else choice.chosen,
        sequence=methods,
        rationale=tuple(part for part in (choice.because, *choice.reasons) if part),
        facts_hash=facts_hash(stated),
        stages=tuple(_with_tasks(stage, runbook) for stage in stages),
        guards=make_guards(release, stages),
        windows=agreements.windows,
        freezes=agreements.freezes,
        target=release.target,
        runbook=runbook,
        night=script.night,
        people=script.people,
        gates=gates,
        training=make_training(release, stages),
        support=support,
        communication=messages,
        rollback=script.rollback,
        risks=make_responses(release, methods, stages),
        approvals_required=agreements.approvals_required,
        approvers=agreements.approvers,
        operators=agreements.operators,
        policy=make_policy(release, methods),
        notes=(
            *make_notes(release, choice, methods, stages),
            *counting_notes(stated, stages),
            *people_notes(stages, gates, messages),
            *support_notes(support),
        ),
    )
    return with_clock(with_promises(plan, release))


def _with_calendar(plan: Plan, release: Release, calendar: Calendar) -> Plan:
    kept, notes = calendar_of_plan(release, calendar)
    return Plan.model_validate({**dict(plan), "calendar": kept, "notes": (*plan.notes, *notes)})


def _methods(choice: Choice) -> tuple[MethodName, ...]:
    """The methods to plan for, in order. Raises RefusedError where a rule forbids planning."""
    if choice.chosen is None:
        raise RefusedError(
            "no method can be planned: each is blocked by a hard rule, so the release is not ready",
            hint=f"next question: {choice.next_questions[0]}"
            if choice.next_questions
            else "lift one of the rules above",
            details=tuple(line for ranked in choice.ranking for line in _violations(ranked)),
        )
    methods = choice.sequence if choice.chosen in choice.sequence else (choice.chosen,)
    blocked = tuple(line for method in methods for line in _violations(choice.of(method)))
    if blocked:
        raise RefusedError(
            f"{choice.chosen} cannot be planned: a hard rule forbids it",
            hint="lift the rule, or choose another method (rollway choose shows what is allowed)",
            details=blocked,
        )
    return methods


def _violations(ranked: Ranked) -> tuple[str, ...]:
    return tuple(
        f"{ranked.method}, {veto.id} {veto.title}: {veto.evidence}"
        + (f" -> {veto.unlock}" if veto.unlock else "")
        for veto in ranked.vetoes
        if veto.state == "violated"
    )


def _with_tasks(stage: Stage, runbook: tuple[Task, ...]) -> Stage:
    return stage.model_copy(update={"tasks": task_ids(runbook, stage)})
