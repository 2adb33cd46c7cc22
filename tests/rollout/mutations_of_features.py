"""Faults in what a rollout makes of control groups, and of guards that count in some stages only."""

from __future__ import annotations

from functools import partial

from support.mutating import Mutation

Look = partial(Mutation, laws="of looks")

OF_CONTROL_GROUPS = (
    Mutation(
        "no control group is told",
        1,
        "steps.tell",
        "control=state.desired_control",
        "control=0.0",
    ),
    Mutation(
        "the control group of before is told on entering",
        1,
        "entering.enter",
        "desired_control=exposure.control",
        "desired_control=state.desired_control",
    ),
    Mutation(
        "the control group is not told after resume",
        1,
        "entering.go_on",
        "desired_control=exposure.control",
        "desired_control=state.desired_control",
    ),
    Mutation(
        "a control group is left with everyone",
        1,
        "entering.enter",
        "desired_control=exposure.control",
        "desired_control=exposure.control or state.desired_control",
    ),
    Mutation(
        "a control group is left after rollback",
        2,
        "steps.roll_back",
        "desired_control=0.0",
        "desired_control=state.desired_control",
    ),
    Mutation(
        "a rollback waits for its control group",
        2,
        "exposure._agreement",
        'state.phase == "rolling_back" or ',
        "",
    ),
    Mutation(
        "counted with another control group",
        1,
        "exposure._agreement",
        "is_same(event.control, state.desired_control)",
        "True",
    ),
    Mutation(
        "a control group that is set back counts on",
        1,
        "exposure._other_beside",
        "entered_at=None, told_at=event.at",
        "told_at=event.at",
    ),
    Mutation(
        "another control group is not set back",
        1,
        "exposure._other_beside",
        "effects=(tell(state),), entries=(*entries, entry)",
        "entries=(*entries, entry)",
    ),
    Mutation(
        "held for a control group before its time",
        1,
        "exposure._other_beside",
        "entered_at=None, told_at=event.at",
        "entered_at=None",
    ),
    Mutation(
        "a control group that never comes is waited for",
        1,
        "exposure._other_beside",
        'if state.phase == "running" and waited',
        "if False and waited",
    ),
    Mutation(
        "what is lowered is fought for its control group",
        1,
        "exposure._kept",
        "desired_control=event.control",
        "desired_control=state.desired_control",
    ),
    Mutation(
        "another control group is no other split",
        3,
        "steps.split_since",
        "is_same(seen.control, state.served_control)",
        "True",
    ),
    Mutation(
        "another share is no other split",
        3,
        "steps.split_since",
        "is_same(seen.share, state.served_share or 0.0)",
        "True",
    ),
    Mutation("every look begins a split", 3, "steps.split_since", "state.split_at is not None\n", "False\n"),
    Mutation(
        "the control group that is served is forgotten",
        3,
        "exposure.on_observed",
        "served_control=event.control",
        "served_control=state.served_control",
    ),
    Look(
        "compared with everyone beside a control group",
        3,
        "steps.share_of_work",
        "control or 1 - share",
        "1 - share",
    ),
    Look(
        "users of two splits count together",
        3,
        "intervals.is_of_one_split",
        "since is not None and reading.start >= since.timestamp()",
        "True",
    ),
    Look(
        "users of a split count from when it was told",
        3,
        "intervals.is_of_one_split",
        "reading.start >= since.timestamp()",
        "reading.end >= since.timestamp()",
    ),
    Look(
        "users of no split count",
        3,
        "intervals.is_of_one_split",
        "since is not None and reading.start >= since.timestamp()",
        "False",
    ),
)

COUNTED = "if guard.counts_in(plan.stages[state.stage].id)"
OF_SOME_STAGES = (
    Mutation("guards that do not count answer blindness", 3, "evidence._on_blind", COUNTED, "if True"),
    Mutation(
        "guards that are not blind answer blindness",
        3,
        "evidence._on_blind",
        "(blind or {each.kpi for each in counted})",
        "{each.kpi for each in counted}",
    ),
    Mutation(
        "a guard has no answer to blindness",
        3,
        "evidence._on_blind",
        "guard.on_blind or plan.policy.on_blind",
        "plan.policy.on_blind",
    ),
    Mutation(
        "blindness is not told where it is to be told",
        3,
        "evidence._on_blind",
        'action in ("ask", "tell") and',
        'action == "ask" and',
    ),
    Mutation(
        "guards that are not open end the patience",
        3,
        "evidence.after_patience",
        'guard.say == "gate" and guard.kpi in still_open',
        'guard.say == "gate"',
    ),
    Mutation(
        "a guard has no answer to an open question",
        3,
        "evidence.after_patience",
        "guard.on_undecided or plan.policy.on_patience",
        "plan.policy.on_patience",
    ),
    Mutation(
        "harm of a guard of some stages has no answer",
        2,
        "evidence._harmful",
        'guard.say != "watch"',
        'guard.say != "watch" and not guard.stages',
    ),
    Look(
        "asked where it does not count",
        3,
        "collecting.collect",
        "if not guard.counts_in(stage.id)",
        "if False",
    ),
    Look(
        "not asked where it counts",
        3,
        "collecting.collect",
        "if not guard.counts_in(stage.id)",
        "if guard.stages and stage.id != guard.stages[0]",
    ),
    Look(
        "what happens in between is counted later",
        3,
        "collecting.collect",
        "cursors.pop(guard.kpi, None)",
        "pass",
    ),
    Look(
        "late numbers of a stage are lost",
        2,
        "collecting._rest_of_before",
        "if not guard.counts_in(before.id)",
        "if True",
    ),
    Look(
        "late numbers go on into the next stage",
        3,
        "collecting._rest_of_before",
        "entered.timestamp()",
        "entered.timestamp() + 60",
    ),
    Look(
        "late numbers are taken up to the last resume",
        3,
        "intervals.stage_since",
        "state.stage_at or state.told_at",
        "state.told_at",
    ),
    Look(
        "late numbers reach back over the stage before",
        3,
        "intervals.counts_since",
        "since = state.before_at",
        "pass",
    ),
    Look(
        "the time before a stage counts in it",
        3,
        "intervals.is_of_here",
        "reading.start >= counts_since(plan, state, guard)",
        "True",
    ),
    Look(
        "what does not count is blind",
        3,
        "judge.decide._judge_all",
        "if rule.counts_in(moment.stage)",
        "if True",
    ),
    Look(
        "a guard that begins to count is blind at once",
        3,
        "judge.decide._own_clock",
        "bool(rule.stages) and",
        "False and",
    ),
    Look(
        "a hard stop counts in the first of its stages alone",
        2,
        "judge.absorb.update",
        "or reading.stage in stages",
        "or reading.stage in stages[:1]",
    ),
    Look(
        "a hard stop of some stages is none",
        2,
        "judge.stops.watches",
        'rule.say != "watch" and',
        'rule.say != "watch" and not rule.stages and',
    ),
)

OF_FEATURES = (*OF_CONTROL_GROUPS, *OF_SOME_STAGES)
