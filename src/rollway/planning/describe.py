"""The parts of a plan in words: what the tree, the documents and the pages share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rollway.planning.model import Advance, Guard, Plan, PlanPromise, Promise, Stage
from rollway.planning.words import METHOD_WORDS, about, length, listing, percent, times, two_digits

BAR_CELLS = 10


def sequence_words(plan: Plan) -> str:
    """`pilot, then canary`."""
    return ", then ".join(METHOD_WORDS[method] for method in plan.sequence)


RULE_WORDS: Mapping[Advance, str] = {
    "ready": "every gate has numbers of the old version",
    "evidence": "every gate is shown to be within its margin",
    "time": "no limit is broken",
    "person": "a person says go",
}

UNMEASURED_WORDS = "both versions report and nothing speaks against the new one"
"""The rule of a stage that decides on evidence and asks for no margin."""


def rule_words(stage: Stage) -> str:
    """What must be true, besides the bake time, to leave the stage: `a person says go`."""
    is_unmeasured = stage.advance == "evidence" and not stage.margins
    return UNMEASURED_WORDS if is_unmeasured else RULE_WORDS[stage.advance]


def advance_words(stage: Stage) -> str:
    """What must be true to leave the stage: `after 20 minutes, when a person says go`."""
    rule = f"when {rule_words(stage)}"
    return f"after {length(stage.bake_seconds)}, {rule}" if stage.bake_seconds else rule


def margin_words(stage: Stage) -> str:
    """`errors ×1.5 and latency ×1.5`, empty where nothing is to be excluded."""
    return listing(f"{kpi} {times(margin)}" for kpi, margin in stage.margins.items())


def guard_words(plan: Plan, guard: Guard) -> str:
    """`errors: gate, up to ×1.1 of the old version, never more than 5% bad`."""
    limit = f", never more than {limit_words(guard)}" if guard.limit is not None else ""
    named = guard.kpi if guard.title in ("", guard.kpi) else f"{guard.kpi} ({guard.title})"
    actions = "".join(f"; {line}" for line in action_words(guard))
    counted = f"; counts in {counted_words(plan, guard)} only" if guard.stages else ""
    return f"{named}: {guard.say}, {baseline_words(guard)}{limit}{actions}{counted}"


def counted_words(plan: Plan, guard: Guard) -> str:
    """The titles of the stages in which it counts: `'Both versions run' and 'Cutover'`."""
    return listing(f"'{stage.title}'" for stage in plan.stages if guard.counts_in(stage.id))


def counting_lines(plan: Plan) -> tuple[str, ...]:
    """A sentence for each guard that does not count in every stage."""
    return tuple(
        f"{guard.title or guard.kpi} counts in {counted_words(plan, guard)} only: in the other stages it is "
        "not asked, and what it has shown by then stays."
        for guard in plan.guards
        if guard.stages
    )


def baseline_words(guard: Guard) -> str:
    """What it is compared with: `up to ×1.1 of the old version`."""
    if guard.baseline == "absolute":
        return "compared with nothing but its limit"
    beside = "past weeks" if guard.baseline == "history" else "the old version"
    if guard.direction == "less_is_worse":
        return f"down to 1/{guard.tolerance:g} of {beside}"
    return f"up to {times(guard.tolerance)} of {beside}"


def action_words(guard: Guard) -> tuple[str, ...]:
    """What is done about this guard where that is not what the policy says: `if harmful: hold`."""
    said = (
        ("harmful", guard.on_harm if guard.on_harm != "rollback" else None),
        ("undecided for too long", guard.on_undecided),
        ("blind", guard.on_blind),
    )
    return tuple(f"if {when}: {ACTION_WORDS[action]}" for when, action in said if action is not None)


ACTION_WORDS = {"rollback": "go back", "hold": "hold", "ask": "ask a person", "tell": "write it down"}


def limit_words(guard: Guard) -> str:
    """`5% bad`, `10% slower than 2 seconds`; empty without a limit."""
    if guard.limit is None:
        return ""
    bad = "bad" if guard.limit_seconds is None else f"slower than {length(guard.limit_seconds)}"
    return f"{percent(guard.limit)} {bad}"


def promises_by_kpi(plan: Plan) -> dict[tuple[str, str], tuple[Promise, ...]]:
    """The promises of each stage (title) and KPI, the smallest fault first."""
    titles = {stage.id: stage.title for stage in plan.stages}
    found: dict[tuple[str, str], tuple[Promise, ...]] = {}
    for promise in plan.promises:
        key = (titles[promise.stage], promise.kpi)
        found[key] = (*found.get(key, ()), promise)
    return found


def promise_words(promise: Promise) -> str:
    """`88% in 17 minutes, 2 100 requests`; where no chance was computed, `2 600 events, 1.8 hours`.

    The chance that the stage finds the fault, in how long, and what the new version serves until then.
    """
    if promise.probability is None:
        seconds = "" if promise.seconds is None else f", {about(promise.seconds)}"
        return f"{two_digits(promise.requests)} events{seconds}"
    found = chance_words(promise.probability)
    if promise.rollback_seconds is None:
        return found
    return f"{found} in {about(promise.rollback_seconds)}, {met_words(promise)}"


def met_words(promise: Promise | PlanPromise) -> str:
    """Who meets the fault first: `350 users`, or `2 100 requests` where the number of users is not known."""
    if promise.exposed_share is not None and promise.exposed is not None:
        return f"{two_digits(promise.exposed)} users"
    return f"{two_digits(promise.served or 0.0)} requests"


def chance_words(probability: float) -> str:
    """`88%`; what is nearly sure or nearly nothing is not rounded to sure or nothing."""
    if probability > NEARLY_SURE:
        return ">99%"
    return "<1%" if probability < 1 - NEARLY_SURE else f"{probability:.0%}"


NEARLY_SURE = 0.99


def promise_items(plan: Plan) -> Iterator[list[str]]:
    """What the plan promises, and then each stage: a heading and the lines under it."""
    whole = [
        f"{promise.kpi} {times(promise.ratio)}: {plan_promise_words(promise)}"
        for promise in plan.plan_promises
    ]
    if whole:
        yield ["a fault that is there from the start is found before everyone has it", *whole]
    stages: dict[str, list[str]] = {}
    for (stage, kpi), promises in promises_by_kpi(plan).items():
        told = "; ".join(f"{times(promise.ratio)} {_short_words(promise)}" for promise in promises)
        stages.setdefault(stage, []).append(f"{kpi}: {told}")
    for stage, lines in stages.items():
        yield [f"{stage}: of faults that begin here, it finds", *lines]


def plan_promise_words(promise: PlanPromise) -> str:
    """`>99% in 18 minutes, 2 600 requests`."""
    found = chance_words(promise.probability)
    if promise.rollback_seconds is None:
        return found
    return f"{found} in {about(promise.rollback_seconds)}, {met_words(promise)}"


def _short_words(promise: Promise) -> str:
    if promise.probability is None:
        return f"after about {promise_words(promise)}"
    found = chance_words(promise.probability)
    return found if promise.rollback_seconds is None else f"{found} in {about(promise.rollback_seconds)}"


def share_bar(share: float) -> str:
    """Ten cells, filled by the share: none for nobody, all of them only for everyone."""
    some = min(BAR_CELLS - 1, max(1, round(share * BAR_CELLS)))
    filled = some if 0 < share < 1 else round(share) * BAR_CELLS
    return "█" * filled + "░" * (BAR_CELLS - filled)
