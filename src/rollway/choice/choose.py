"""The choice: the methods ranked, one recommended, a person's word respected, and all of it explained."""

from __future__ import annotations

from rollway.choice import explain
from rollway.choice.holds import holds_of
from rollway.choice.methods import METHODS
from rollway.choice.model import Choice, Ranked, Shape, Verdict
from rollway.choice.ranking import rank, standing
from rollway.choice.sequence import sequence_of, shape_of
from rollway.facts.model import MethodName, Release

_BY_NAME = {method.name: method for method in METHODS}


def choose(release: Release) -> Choice:
    """The method for this release, with vetoes, scores and reasons. Reads nothing else; never raises.

    Recommended is the best method that no veto blocks, where something speaks for it (`has_grounds`). A
    veto that is still open does not block: it costs the method a little of its standing, and its questions
    come first among `next_questions`. Where nothing that is known speaks for a method the choice is
    unsettled and only leans; where every method is blocked the release is not ready.

    A person's `rollout.method` is chosen even against a violated veto; the veto stays in the reasons, and
    the planning room refuses it.
    """
    ranking = rank(release)
    verdict, leaning = _verdict(ranking)
    best = leaning if verdict == "recommended" else None
    wish, because = release.rollout.method, release.rollout.because
    chosen = _find(ranking, wish) if wish else best
    leader = chosen or leaning
    runner_up = _runner_up(ranking, leader)
    sequence = sequence_of(release, chosen, ranking) if chosen else ()
    asked_for = chosen if chosen is not best else None
    return Choice(
        recommended=best.method if best else None,
        chosen=chosen.method if chosen else None,
        because=because if wish else "",
        sequence=sequence,
        ranking=ranking,
        reasons=_reasons(ranking, verdict, leaning, asked_for, because),
        dissent=explain.dissent(leader, runner_up) if verdict != "not_ready" or chosen else "",
        next_questions=explain.next_questions(
            release, _BY_NAME[leader.method], _BY_NAME[runner_up.method] if runner_up else None
        ),
        verdict=verdict,
        leaning=leaning.method,
        shape=shape_of(release, sequence) if sequence else Shape(),
        holds=holds_of(release),
    )


def has_grounds(ranked: Ranked, runner_up: Ranked | None) -> bool:
    """Whether what is known speaks for a method: something does, and it is not outweighed.

    More may speak against it than for it where it is ahead of all others that are open: then it is the best
    that is left.
    """
    points = [reason.points for reason in ranked.reasons]
    is_ahead = runner_up is None or standing(ranked) > standing(runner_up)
    return any(one > 0 for one in points) and (sum(points) > 0 or is_ahead)


def _verdict(ranking: tuple[Ranked, ...]) -> tuple[Verdict, Ranked]:
    """What can be said, and the method that comes first (of blocked ones, the one unlocked with least)."""
    first = ranking[0]
    if first.state == "blocked":
        return "not_ready", explain.nearest(ranking)
    is_settled = has_grounds(first, _runner_up(ranking, first))
    return ("recommended" if is_settled else "unsettled"), first


def _reasons(
    ranking: tuple[Ranked, ...],
    verdict: Verdict,
    leaning: Ranked,
    asked_for: Ranked | None,
    because: str,
) -> tuple[str, ...]:
    """At most seven sentences: a person's word, the one that decides, then one for each other method."""
    best = leaning if verdict == "recommended" else None
    told = [explain.overruled(asked_for, best, because)] if asked_for else []
    told.append(_DECIDING[verdict](leaning))
    others = [one for one in ranking if one is not leaning and one is not asked_for]
    cited = {reason.text for reason in explain.best_reasons(leaning)}
    return (*told, *(explain.why_not(one, leaning, cited) for one in others))


_DECIDING = {
    "recommended": explain.why,
    "unsettled": explain.unsettled,
    "not_ready": explain.not_ready,
}


def _runner_up(ranking: tuple[Ranked, ...], leader: Ranked) -> Ranked | None:
    return next((one for one in ranking if one is not leader and one.state != "blocked"), None)


def _find(ranking: tuple[Ranked, ...], name: MethodName) -> Ranked:
    return next(one for one in ranking if one.method == name)
