"""The choice in plain sentences: why this method, why not the others, and what is worth asking next."""

from __future__ import annotations

from collections import defaultdict

from rollway.choice.actions import price
from rollway.choice.argument import Arguments, clause, sentence
from rollway.choice.condition import AtLeast, Is
from rollway.choice.hard_rule import HardRule
from rollway.choice.model import Method, Ranked, Reason, VetoResult
from rollway.choice.ranking import standing
from rollway.choice.rules.rule import Rule
from rollway.facts.model import Release
from rollway.readiness import WORDINGS, ask_for, fact_at

QUESTIONS_ASKED = 5
CLOSE = 0.025  # scores nearer than this are called close
_LEADER_VETO, _RUNNER_UP_VETO = 4.0, 2.0  # how many points an open veto counts as a question


def why(best: Ranked) -> str:
    """One sentence: the method with its two strongest reasons, and the vetoes that are still open."""
    strongest = best_reasons(best)
    because = ", and because ".join(clause(reason.text) for reason in strongest)
    if not because:
        because = "nothing that is stated speaks for another method, and it can be stopped early"
    still = f"; still open: {_open(best)}" if best.state == "unknown" else ""
    return f"{best.title}, because {because}{still}."


def why_not(loser: Ranked, best: Ranked, told: set[str]) -> str:
    """One sentence: the veto that refuses a method, or what it lost by. `told` collects what was cited."""
    refused = violated(loser)
    if refused:
        return f"{loser.title} refused, because {refusal(refused)}."
    against = f"({figures(loser, best)})"
    if loser.score >= best.score and standing(loser) < standing(best):
        return f"{loser.title} fits no worse {against}, but hard rules are still open: {_open(loser)}."
    tie = f"{loser.title} fits as well {against}; of equals, the one that exposes fewer people comes first."
    if round(loser.score - best.score, 9) == 0:
        return tie
    worst = min(loser.reasons, key=lambda reason: reason.points, default=None)
    if worst is not None and worst.points < 0:
        return f"{loser.title} lost {against}, because {clause(worst.text)}."
    lead = _lead(best, loser, told)
    if lead is not None:
        told.add(lead.text)
        return f"{loser.title} lost {against}, because {best.title} has this before it: {clause(lead.text)}."
    return tie


def figures(one: Ranked, other: Ranked) -> str:
    """Two scores beside each other, as exactly as it takes to see which is higher; at most four places."""
    for places in (2, 3, 4):
        left, right = f"{one.score:.{places}f}", f"{other.score:.{places}f}"
        if left != right:
            return f"{left} against {right}"
    return f"{one.score:.2f} against {other.score:.2f}"


def _open(ranked: Ranked) -> str:
    return ", ".join(veto.id for veto in ranked.vetoes if veto.state == "unknown")


def _lead(best: Ranked, loser: Ranked, told: set[str]) -> Reason | None:
    """The reason that puts `best` furthest before `loser`; one that was not told yet, if there is one."""
    theirs = {(reason.rule, reason.criterion): reason.points for reason in loser.reasons}
    leads = [
        (reason.text not in told, reason.points - theirs.get((reason.rule, reason.criterion), 0.0), reason)
        for reason in best.reasons
    ]
    ahead = [lead for lead in leads if lead[1] > 0]
    return max(ahead, key=lambda lead: lead[:2])[2] if ahead else None


def overruled(chosen: Ranked, best: Ranked | None, because: str) -> str:
    """One sentence: that a person decided otherwise, on which grounds, and which veto stands against it."""
    grounds = f"“{because.rstrip('.')}”" if because else "no grounds are on record (rollout.because)"
    told = f"{chosen.title} was asked for by a person (rollout.method): {grounds}"
    if best is not None:
        told += f"; the facts speak for {best.title} ({figures(best, chosen)})"
    if refused := violated(chosen):
        return f"{told}; it stays refused, because {refusal(refused)}."
    still = "; ".join(f"{veto.id} ({veto.title})" for veto in chosen.vetoes if veto.state == "unknown")
    return f"{told}; nobody has shown yet that this holds: {still}." if still else f"{told}."


def unsettled(leaning: Ranked) -> str:
    """One sentence: that too little is known, and to what one would lean."""
    strongest = best_reasons(leaning)
    grounds = ", and because ".join(clause(reason.text) for reason in strongest)
    because = grounds or "nothing that is stated speaks against it, and it is the easiest to stop"
    return (
        f"Not known: nothing that is stated speaks for one method enough to recommend it; "
        f"it leans to {leaning.title}, because {because}."
    )


def nearest(ranking: tuple[Ranked, ...]) -> Ranked:
    """Of blocked methods, the one that is unlocked with the least work; of these, the one that fits best."""
    return min(ranking, key=lambda one: (price(one.unlock), -one.score))


def not_ready(blocked: Ranked) -> str:
    """One sentence: that every method is refused, and what would unlock this one."""
    days = f"about {price(blocked.unlock):g} days of work"
    return (
        f"Not ready: every method is refused; nearest is {blocked.title} ({days}): "
        f"{refusal(violated(blocked))}."
    )


def dissent(chosen: Ranked, runner_up: Ranked | None) -> str:
    """The best case for the method that came next."""
    if runner_up is None:
        return f"No other method than {chosen.title} is open; unlock one before relying on this one alone."
    strongest = best_reasons(runner_up)
    case = ", and ".join(clause(reason.text) for reason in strongest) or "nothing speaks against it so far"
    close = "It is close. " if abs(chosen.score - runner_up.score) < CLOSE else ""
    return f"{close}The best case for {runner_up.title} ({figures(runner_up, chosen)}): {case}."


def best_reasons(ranked: Ranked, count: int = 2) -> list[Reason]:
    """The strongest reasons for a method, each from another rule."""
    by_rule: dict[str, Reason] = {}
    for reason in sorted(ranked.reasons, key=lambda one: -one.points):
        if reason.points > 0:
            by_rule.setdefault(reason.rule, reason)
    return list(by_rule.values())[:count]


def violated(ranked: Ranked) -> tuple[VetoResult, ...]:
    """The vetoes that block a method."""
    return tuple(veto for veto in ranked.vetoes if veto.state == "violated")


def refusal(vetoes: tuple[VetoResult, ...]) -> str:
    """Each violated veto with its evidence and what would lift it."""
    return "; ".join(
        f"{veto.id} does not hold ({veto.title}) [{veto.evidence}]; to lift it: {clause(veto.unlock)}"
        for veto in vetoes
    )


def next_questions(release: Release, leader: Method, runner_up: Method | None) -> tuple[str, ...]:
    """The unknown facts that matter most for the leader's vetoes and for its lead over the runner-up."""
    weights: dict[str, float] = defaultdict(float)
    settles: dict[str, list[str]] = defaultdict(list)
    for method, weight in ((leader, _LEADER_VETO), (runner_up, _RUNNER_UP_VETO)):
        for veto in method.vetoes if method else ():
            for path in _open_facts(veto.check, release):
                weights[path] += weight
                settles[path].append(f"{veto.id} for {method.title}" if method else veto.id)
    for path, swing in _swings(release, leader, runner_up).items():
        if path in WORDINGS and not fact_at(release, path).is_stated:
            weights[path] += swing
    asked = sorted(weights, key=lambda path: (-weights[path], path))[:QUESTIONS_ASKED]
    return tuple(_question(path, settles[path]) for path in asked)


def _open_facts(check: object, release: Release) -> tuple[str, ...]:
    return check.open_facts(release) if isinstance(check, HardRule) else ()


def _swings(release: Release, leader: Method, runner_up: Method | None) -> dict[str, float]:
    """Per fact, the largest difference in points that an open rule about it can make between the two."""
    differences: dict[int, tuple[Rule, float]] = {}
    for method, sign in ((leader, 1.0), (runner_up, -1.0)):
        rows = method.argue.rows if method and isinstance(method.argue, Arguments) else ()
        for row in rows:
            _, so_far = differences.get(id(row.rule), (row.rule, 0.0))
            differences[id(row.rule)] = (row.rule, so_far + sign * row.points)
    swings: dict[str, float] = defaultdict(float)
    for rule, difference in differences.values():
        for path in _still_open(rule, release) if difference else ():
            swings[path] = max(swings[path], abs(difference))
    return swings


def _still_open(rule: Rule, release: Release) -> tuple[str, ...]:
    """The facts that would settle the rule; an assumption is somebody's answer for now."""
    asked = [path for path in rule.facts if path not in WORDINGS or not fact_at(release, path).is_stated]
    if not asked:
        return ()
    if isinstance(rule.holds, Is | AtLeast):
        return rule.facts
    answer = rule.holds.ask(release)
    return answer.facts if answer.holds is None else ()


def _question(path: str, settles: list[str]) -> str:
    use = f"settles {', '.join(settles)}" if settles else "weighs between the first two methods"
    return sentence(f"{ask_for(path)}: {use}")
