"""The choice: the methods ranked, one recommended, a person's word respected, and all of it explained."""

from __future__ import annotations

from rollway.choice import explain
from rollway.choice.methods import METHODS
from rollway.choice.model import Choice, Ranked
from rollway.choice.ranking import rank
from rollway.choice.sequence import sequence_of
from rollway.facts.model import MethodName, Release

_BY_NAME = {method.name: method for method in METHODS}


def choose(release: Release) -> Choice:
    """The method for this release, with vetoes, scores and reasons. Reads nothing else; never raises.

    Recommended is the best method that no veto blocks. A veto that is still open does not block: it costs
    the method a little of its standing, and its questions come first among `next_questions`. Nothing is
    recommended only where every method is blocked: then the release is not ready.

    A person's `rollout.method` is chosen even against a violated veto; the veto stays in the reasons, and
    the planning room refuses it.
    """
    ranking = rank(release)
    best = ranking[0] if ranking[0].state != "blocked" else None
    wish, because = release.rollout.method, release.rollout.because
    chosen = _find(ranking, wish) if wish else best
    is_overruled = chosen is not None and chosen is not best
    leader = chosen or ranking[0]
    runner_up = _runner_up(ranking, leader)
    return Choice(
        recommended=best.method if best else None,
        chosen=chosen.method if chosen else None,
        because=because if wish else "",
        sequence=sequence_of(release, chosen, ranking) if chosen else (),
        ranking=ranking,
        reasons=_reasons(ranking, best, chosen if is_overruled else None, because),
        dissent=explain.dissent(chosen, runner_up) if chosen else "",
        next_questions=explain.next_questions(
            release, _BY_NAME[leader.method], _BY_NAME[runner_up.method] if runner_up else None
        ),
    )


def _reasons(
    ranking: tuple[Ranked, ...], best: Ranked | None, asked_for: Ranked | None, because: str
) -> tuple[str, ...]:
    """At most six sentences: the one that decides first, then one for each other method."""
    told = [explain.overruled(asked_for, best, because)] if asked_for else []
    nearest = best or explain.nearest(ranking)
    told.append(explain.why(best) if best else explain.not_ready(nearest))
    others = [one for one in ranking if one is not nearest and one is not asked_for]
    cited = {reason.text for reason in explain.best_reasons(nearest)}
    told += [explain.why_not(one, nearest, cited) for one in others]
    return tuple(told[:6])


def _runner_up(ranking: tuple[Ranked, ...], leader: Ranked) -> Ranked | None:
    return next((one for one in ranking if one is not leader and one.state != "blocked"), None)


def _find(ranking: tuple[Ranked, ...], name: MethodName) -> Ranked:
    return next(one for one in ranking if one.method == name)
