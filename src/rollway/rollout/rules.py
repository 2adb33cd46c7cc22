"""What the judge needs of a plan."""

from __future__ import annotations

from rollway.judge import Dispersion, GuardRule, Rules
from rollway.planning import Plan

NONE = Dispersion()
BEYOND_COMPARISON = 1e6
"""The tolerance of a guard that is held to its limit alone: nothing is so many times worse."""


def rules_of(plan: Plan) -> Rules:
    """The judge's rules for a plan. The judge calls itself blind after a quarter of the time at which the
    policy acts, so that there is a hold between noticing and going back."""
    return Rules(
        guards=tuple(
            GuardRule(
                kpi=guard.kpi,
                kind="past" if guard.baseline == "history" else guard.kind,
                say=guard.say,
                tolerance=BEYOND_COMPARISON if guard.baseline == "absolute" else guard.tolerance,
                weight=guard.weight,
                limit=guard.limit,
                limit_seconds=guard.limit_seconds,
                direction=guard.direction,
                bound=guard.bound,
                objective=guard.objective,
                stages=guard.stages,
                dispersion=NONE if guard.dispersion is None else Dispersion(**guard.dispersion.model_dump()),
            )
            for guard in plan.guards
        ),
        margins={stage.id: stage.margins for stage in plan.stages},
        alpha=plan.policy.alpha,
        alpha_promote=plan.policy.alpha_promote,
        planned_seconds=max(1.0, sum(stage.bake_seconds for stage in plan.stages)),
        blind_seconds=max(3 * plan.policy.tick_seconds, plan.policy.blind_seconds / 4),
    )
