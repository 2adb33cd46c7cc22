"""From a release and a choice to a plan: pure, so that the same facts give the same bytes."""

from __future__ import annotations

from pydantic import ValidationError

from rollway.choice.model import Choice, Ranked
from rollway.errors import InputError, RefusedError
from rollway.facts.listing import facts_hash
from rollway.facts.model import MethodName, Release
from rollway.planning.evidence import make_promises
from rollway.planning.messages import make_messages
from rollway.planning.methods import BUILDERS
from rollway.planning.model import Plan, Stage, Task
from rollway.planning.notes import make_notes
from rollway.planning.policy import make_guards, make_policy
from rollway.planning.responses import make_responses
from rollway.planning.rollback import make_rollback
from rollway.planning.runbook import make_runbook, task_ids
from rollway.planning.stages import join, proven


def make_plan(release: Release, choice: Choice) -> Plan:
    """The plan for the chosen method, or for the sequence of methods that the choice names.

    Raises RefusedError where no method was chosen, or where a method's hard rule is violated; the details
    say which rule, and what lifts it. Raises InputError where the release's own figures give a plan that
    cannot work (a KPI named twice, a time zone that does not exist, a bake of ten years).
    """
    methods = _methods(choice)
    try:
        return _plan(release, choice, methods)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InputError(
            "these facts give a plan that cannot work",
            details=tuple(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found),
            hint="mend the KPIs, windows or wishes (rollout) that these lines come from",
        ) from error


def _plan(release: Release, choice: Choice, methods: tuple[MethodName, ...]) -> Plan:
    stages = proven(release, join([BUILDERS[method](release) for method in methods]))
    runbook = make_runbook(release, stages)
    identity, agreements = release.release, release.agreements
    return Plan(
        name=identity.name,
        version=identity.version,
        title=identity.title or identity.name,
        service=identity.service,
        prepared_by=identity.prepared_by,
        objective=release.goals.objective,
        method=methods[-1] if choice.chosen is None else choice.chosen,
        sequence=methods,
        rationale=tuple(part for part in (choice.because, *choice.reasons) if part),
        facts_hash=facts_hash(release),
        stages=tuple(_with_tasks(stage, runbook) for stage in stages),
        guards=make_guards(release),
        windows=agreements.windows,
        freezes=agreements.freezes,
        target=release.target,
        runbook=runbook,
        communication=make_messages(release, stages),
        rollback=make_rollback(release, stages),
        risks=make_responses(release, methods, stages),
        promises=make_promises(release, stages),
        approvals_required=agreements.approvals_required,
        approvers=agreements.approvers,
        operators=agreements.operators,
        policy=make_policy(release, methods),
        notes=make_notes(release, choice, methods, stages),
    )


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
