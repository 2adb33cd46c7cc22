"""What preflight makes of a control group: can the target draw one, and does `baseline` count it? Pure."""

from __future__ import annotations

from rollway.planning import Plan, Stage
from rollway.rollout.ports import NO_SAMPLES, Target, samples_control
from rollway.rollout.serving import Check

CONTROL_GROUP = "control group"


def drawn_in(plan: Plan) -> Stage | None:
    """The stage in which a control group is drawn; None where there is none."""
    return next((stage for stage in plan.stages if stage.exposure.control), None)


def check_sampling(plan: Plan, target: Target) -> tuple[Check, ...]:
    """Whether the target can sample the control group that the plan asks for, if it does."""
    largest = max(stage.exposure.control for stage in plan.stages)
    if not largest:
        return ()
    if samples_control(target):
        return (Check(CONTROL_GROUP, "ok", f"it can sample one, of up to {largest:.2%} of the users"),)
    hint = "expose by a feature flag (target.type: flag), or leave out rollout.control_group and plan anew"
    return (Check(CONTROL_GROUP, "failed", NO_SAMPLES, hint),)


def check_group(drawn: Stage, pace: str | None, *, may_be_old: bool) -> Check:
    """Whether a KPI counts nobody as `baseline` yet, who is still to be drawn: then `pace` is None."""
    if pace is None:
        return Check(CONTROL_GROUP, "unknown", f"nobody is in it yet: it is drawn in '{drawn.title}'")
    told = f"{pace}, though nobody is in it yet: `baseline` counts others"
    hint = "name the control group as `baseline` in the KPI's signal, and plan anew"
    if may_be_old:
        of = "they are of an earlier rollout, or `baseline` counts others"
        return Check(CONTROL_GROUP, "unknown", f"{pace}, though nobody is in it yet: {of}", f"if so, {hint}")
    return Check(CONTROL_GROUP, "failed", told, hint)
