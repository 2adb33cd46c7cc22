"""Faults put into the state machine one at a time, and how many runs of its laws find each.

    python -m tests.rollout.mutations [NAME ...]    from the repository's root; prints a table

A mutation changes a few words of one function in memory; no file is touched. One that the source does not
have any more raises LookupError: bring it up to date, or the table says less than it seems to.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rollout.mutations_of_features import OF_FEATURES
from support.laws_looks import Looks
from support.laws_world import Laws
from support.mutating import Mutation, applied

LAWS = {"of the machine": Laws, "of looks": Looks}
SEEDS = range(5)


IS_UNMET = "if gate.stage == stage.id and not is_met(plan, state, gate)"
MUTATIONS = (
    # 1: no share to a version that is not healthy or not ready; the old one is ready first
    Mutation("what is not ready is entered", 1, "entering.closed", "state.candidate_ready is False", "False"),
    Mutation(
        "a dead version goes on", 1, "exposure._still_alive", "event.candidate_ready is not False", "True"
    ),
    Mutation(
        "a dead version goes on with other copies",
        1,
        "exposure.on_observed",
        'if agreement in ("same", *BESIDE) and',
        'if agreement == "same" and',
    ),
    Mutation("done with a dead version", 1, "clock._close", "state.unready_since is not None", "False"),
    Mutation("back before the old is ready", 1, "steps.roll_back", "state.baseline_ready is False", "False"),
    Mutation(
        "over before it is read back",
        1,
        "exposure._agreement",
        "if state.desired_groups",
        'if state.phase == "rolling_back":\n        return "same"\n    if state.desired_groups',
    ),
    Mutation("counted before it is read back", 1, "entering.enter", "entered_at=None", "entered_at=at"),
    Mutation(
        "promoted before it is read back",
        1,
        "commands._no_promotion",
        "if state.entered_at is None",
        "if False",
    ),
    Mutation(
        "a bake is cut short",
        1,
        "clock._rule",
        "elapsed < stage.bake_seconds",
        "elapsed < stage.bake_seconds / 2",
    ),
    Mutation("what is lowered is fought", 1, "exposure._mismatch", 'if agreement == "less"', "if False"),
    Mutation("what is raised is kept", 1, "exposure._mismatch", 'if agreement == "less"', "if True"),
    Mutation(
        "undecided is enough",
        1,
        "clock._rule",
        'verdict.kind == "healthy"',
        'verdict.kind in ("healthy", "undecided")',
    ),
    Mutation(
        "another stage's verdict counts",
        1,
        "clock._rule",
        "verdict is None or verdict.stage != stage.id",
        "verdict is None",
    ),
    Mutation(
        "resumed on its way to more",
        1,
        "commands._no_resumption",
        "return why_not_on(plan, state, at)",
        'return ""',
    ),
    # 2: harm and people's words lead back, before the point of no return; after it they hold
    Mutation(
        "harm leads back past it",
        2,
        "evidence._on_harm",
        "if goes_back and not is_past_return(plan, state)",
        "if goes_back",
    ),
    Mutation("harm past it goes on", 2, "evidence._on_harm", 'if state.phase == "paused"', "if True"),
    Mutation(
        "a rollback past it is followed",
        2,
        "commands._refusal",
        'case "rollback" if is_past_return(plan, state)',
        'case "rollback" if False',
    ),
    Mutation(
        "tasks of no return are forgotten",
        2,
        "steps.is_past_return",
        "return bool(state.no_return)",
        "return False",
    ),
    Mutation(
        "a death past it is not told",
        2,
        "exposure._told_of_death",
        "state.is_dead_told or event.at",
        "True or event.at",
    ),
    Mutation(
        "harm that holds goes on", 2, "evidence._on_harm", "if set(named) <= set(state.held_for)", "if True"
    ),
    Mutation("harm while paused is not heard", 2, "machine.advance", '("running", "paused")', '("running",)'),
    Mutation("harm is resumed", 2, "commands._no_resumption", 'state.heard == "harmful"', "False"),
    Mutation(
        "a no go is only noted",
        2,
        "subjects._turn_back",
        'roll_back(state, f"Rolling back: no go, says {told}", event.actor, (entry,))',
        "Step(state=state, entries=(entry,))",
    ),
    Mutation(
        "rolled forward before it", 2, "commands._no_way_forward", "not is_past_return(plan, state)", "False"
    ),
    Mutation(
        "rolled forward, and nothing anew",
        2,
        "commands._roll_forward",
        "entered_at=None",
        "entered_at=step.state.entered_at",
    ),
    Mutation("no return without a go", 2, "runs.may_run", "task.reversible and ", ""),
    Mutation(
        "a failure stands for a go",
        2,
        "subjects._no_work",
        'case "begin" | "confirm" | "repeat" if',
        'case "begin" | "confirm" if',
    ),
    # 3: no data is no evidence
    Mutation(
        "blind stages pass with time",
        3,
        "clock._rule",
        'verdict.kind in ("blind", "harmful")',
        'verdict.kind == "harmful"',
    ),
    Mutation("a mismatch promotes", 3, "clock._rule", "if verdict.mismatch", "if False"),
    Mutation(
        "a mismatch does not pause", 3, "evidence.on_evidence", "if verdict.mismatch and", "if False and"
    ),
    Mutation("blindness goes back at once", 3, "evidence._on_blind", "< plan.policy.blind_seconds", "< 0"),
    Mutation("blindness never goes back", 3, "evidence._on_blind", "state.desired_share <= 0", "True"),
    Mutation(
        "blindness counts before anybody is served",
        3,
        "evidence._on_blind",
        "max(since, state.nobody_at or since)",
        "since",
    ),
    Mutation(
        "blind while the target serves nobody",
        3,
        "exposure.on_observed",
        "event.at if event.share <= 0 else state.nobody_at",
        "state.nobody_at",
    ),
    Mutation("nobody is asked in the end", 3, "clock._hold", "elapsed < stage.patience_seconds", "True"),
    # 4: only an approved plan, only inside its windows, only through its gates; overrides by name
    Mutation("begun without approval", 4, "clock._begin", "if not event.is_approved", "if False"),
    Mutation("entered outside the window", 4, "entering.closed", "if not window.is_open", "if False"),
    Mutation(
        "freezes are not looked at",
        4,
        "entering.closed",
        "plan_state(plan, at)",
        'plan_state(plan.model_copy(update={"freezes": ()}), at)',
    ),
    Mutation("commands outside the window", 4, "runs.why_not_now", "window.is_open", "True"),
    Mutation("gates are not asked for", 4, "gates.unmet_gates", IS_UNMET, f"{IS_UNMET} and False"),
    Mutation("a withdrawn gate stays met", 4, "gates.is_met", 'word.said != "not met"', "True"),
    Mutation("a skipped task meets its gate", 4, "gates.is_met", 'doing.state == "done"', "doing.is_over"),
    Mutation("any figure meets a gate", 4, "subjects._no_confirmation", "reached < gate.minimum", "False"),
    Mutation("a shut window is not told of", 4, "needs._refusing", "state.started_at is not None", "False"),
    Mutation("overrides need no reason", 4, "commands._refusal", "not event.reason", "False"),
    Mutation(
        "waived without a reason",
        4,
        "subjects._on_gate",
        'event.kind == "waive" and not event.reason',
        "False",
    ),
    Mutation(
        "tasks before are not waited for",
        4,
        "tasks.open_before",
        'return _open(plan, state, "before", stage)',
        "return ()",
    ),
    Mutation("entry tasks are not waited for", 4, "tasks.open_entry", "if task.id in entry", "if False"),
    Mutation("tasks during are not waited for", 4, "tasks.open_during", "if task.id != decision", "if False"),
    Mutation("tasks after are not waited for", 4, "tasks.open_after", 'task.phase == "after"', "False"),
    Mutation(
        "tasks come in any order",
        4,
        "tasks.newly_ready",
        "all(is_over(state, name) for name in task.after)",
        "True",
    ),
    Mutation("tasks come before their time", 4, "tasks.newly_ready", "due <= at", "True"),
    Mutation("triggers are not waited for", 4, "runs.may_run", "not task.trigger and ", ""),
    # 5: a restart resumes; nothing twice that must not be, nothing forgotten
    Mutation("cut off, and run again", 5, "runs.on_lost", "task.idempotent and", ""),
    Mutation(
        "an old attempt's end counts",
        5,
        "runs._running",
        '(doing.state, doing.attempt) != ("running", event.attempt)',
        'doing.state != "running"',
    ),
    Mutation(
        "undone in another order",
        5,
        "undoing.needed_undo",
        "for step in plan.rollback.undo if",
        "for step in plan.rollback.undo[::-1] if",
    ),
    Mutation("undone all at once", 5, "undoing.proceed", "doing.is_over", "doing.state"),
    Mutation("undone what was not begun", 5, "undoing.needed_undo", "if task.id in begun", "if True"),
    Mutation("undone while a task is at work", 5, "undoing.proceed", "if is_at_work(state)", "if False"),
    Mutation("left to undo, and over", 5, "undoing.traffic_is_back", "if not steps", "if True"),
    Mutation(
        "it goes on over a failure",
        5,
        "entering.why_not_on",
        "if stuck := stuck_tasks(plan, state)",
        "if stuck := ()",
    ),
    Mutation("a failure holds nothing", 5, "runs.stuck", 'state.phase in ("waiting", "running")', "False"),
    Mutation(
        "done with less than everyone", 5, "commands._not_everyone", "if is_same(", "if True or is_same("
    ),
    Mutation(
        "done before it is read back again",
        5,
        "clock._go_on",
        "state.closing_at is not None and state.entered_at is not None",
        "state.closing_at is not None",
    ),
    Mutation(
        "exposures run for good",
        5,
        "entering.leave",
        "_exposure_left(plan, state, at)",
        "state, ()",
    ),
    # 6: every decision is in the record, with its numbers
    Mutation(
        "verdicts are not recorded", 6, "evidence.on_evidence", "if verdict.kind != state.heard", "if False"
    ),
    Mutation("rollbacks without numbers", 6, "steps.roll_back", "actor=actor, data=data", "actor=actor"),
    Mutation(
        "drift is not recorded",
        6,
        "exposure._mismatch",
        'entries=(*entries, Entry(kind="drift", text=standing, data=data))',
        "entries=entries",
    ),
    *OF_FEATURES,
)


def is_found(mutation: Mutation | None, seed: int, run: settings, laws: str = "of the machine") -> str:
    """Run the laws with a seed and these settings, and say which law was broken; empty where none was."""
    laws = mutation.laws if mutation else laws
    run = settings(run, database=None, phases=(Phase.generate,), report_multiple_bugs=False, print_blob=False)
    machine = seeded(seed)(type("Mutated", (LAWS[laws],), {}))
    try:
        with applied(mutation) if mutation else nullcontext():
            run_state_machine_as_test(machine, settings=run)
    except Exception as error:
        return str(error).partition("\n")[0] or type(error).__name__
    return ""


def main(names: list[str]) -> int:
    """Print the table; 1 where a mutation is found by fewer than four seeds in five.

    First the machine as it is: a seed with which that breaks a law finds nothing.
    """
    from rollout.test_laws import SETTINGS

    print("| rule | mutation | function | found by |\n|---|---|---|---|")
    quiet, missed = dict[str, list[int]](), 0
    for laws in LAWS:
        quiet[laws] = [seed for seed in SEEDS if not is_found(None, seed, SETTINGS, laws)]
        missed += len(SEEDS) - len(quiet[laws])
        line = f"| | none: the laws {laws} | | {len(SEEDS) - len(quiet[laws])} of {len(SEEDS)} |"
        print(line, flush=True)
    for mutation in MUTATIONS:
        if not names or any(name in mutation.name for name in names):
            found = sum(bool(is_found(mutation, seed, SETTINGS)) for seed in quiet[mutation.laws])
            missed += found < len(SEEDS) - 1
            line = f"| {mutation.rule} | {mutation.name} | `{mutation.function}` | {found} of {len(SEEDS)} |"
            print(line, flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
