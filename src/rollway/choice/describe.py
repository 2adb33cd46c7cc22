"""The choice as plain text in sections: for a terminal, and for whoever wants the same words elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rollway.choice.actions import price
from rollway.choice.chart import text_chart
from rollway.choice.model import Choice, Ranked
from rollway.choice.outcomes import Outcomes
from rollway.choice.robustness import Change, Flip, Question, Robustness
from rollway.facts.model import MethodName
from rollway.readiness import WORDINGS, ask_for

BAR = 20
QUESTIONS = 5
SURE_OF_WEIGHTS = 0.995  # a share of weightings above this is called all of them
SMALLEST_CHANGE = 0.005  # of a score that is worth telling
_SHAPE_WIDTH = 10


class Section(NamedTuple):
    """A heading with its lines."""

    title: str
    lines: tuple[str, ...]


def sections(
    choice: Choice, robustness: Robustness | None = None, outcomes: Outcomes | None = None
) -> Iterator[Section]:
    """The whole answer, the most important first; parts without anything to say are left out."""
    yield Section(headline(choice), tuple(_answer(choice)))
    yield Section("Ranking", tuple(_ranking(choice)))
    if stopped := tuple(_holds(choice)):
        yield Section("Not on this date, whatever the method", stopped)
    if robustness is not None:
        yield Section("How sure", tuple(_how_sure(choice, robustness)))
    if outcomes is not None:
        title = f"What each may bring ({outcomes.draws:,} draws, {outcomes.fault:.0%} of them faulty)"
        yield Section(title, (*text_chart(outcomes).splitlines(), *_on_means(outcomes)))
    if choice.dissent:
        yield Section("Dissent", (choice.dissent,))
    if asked := tuple(_asked(choice, robustness)):
        yield Section("Find out next", asked)


def headline(choice: Choice) -> str:
    """The answer in a few words."""
    if choice.verdict == "not_ready":
        return f"Not ready: every method is blocked; {_title(choice, choice.leaning)} is nearest"
    if choice.verdict == "unsettled":
        leaning = _title(choice, choice.leaning)
        return f"Not known yet: too little is stated to recommend a method; leaning to {leaning}"
    return f"Recommended: {_title(choice, choice.recommended)}"


def explain_method(ranked: Ranked) -> Section:
    """Everything about one method: its criteria, its vetoes, what would unlock it, and its reasons."""
    lines = [", ".join(f"{name.replace('_', ' ')} {score:.2f}" for name, score in ranked.criteria.items())]
    for veto in ranked.vetoes:
        lines.append(f"{veto.id:<4} {veto.state:<9} {veto.title}: {veto.evidence}")
        if veto.state != "satisfied" and veto.unlock:
            lines.append(
                f"{'':<5}what {'lifts' if veto.state == 'violated' else 'settles'} it: {veto.unlock}"
            )
    if ranked.unlock:
        lines.append(unlock_words(ranked))
    for reason in sorted(ranked.reasons, key=lambda one: -abs(one.points)):
        criterion = reason.criterion.replace("_", " ")
        lines.append(f"{reason.rule:<4} {reason.points:+.1f} {criterion:<14} {reason.text}")
    return Section(f"{ranked.title}: {ranked.score:.2f}, {ranked.state}", tuple(lines))


def unlock_words(ranked: Ranked) -> str:
    """The cheapest set of actions that unlocks a blocked method, with its rough price."""
    does = "; ".join(action.does for action in ranked.unlock)
    return f"To unlock it, about {_days(price(ranked.unlock))}: {does}."


def compared(before: Choice, after: Choice, changes: tuple[str, ...]) -> Section:
    """What a what-if did to the answer: who comes first, and whose standing changed."""
    was, now = _title(before, before.leaning), _title(after, after.leaning)
    lines = [f"{was} gives way to {now}." if was != now else f"{now} still comes first."]
    if before.verdict != after.verdict:
        lines.append(f"The answer is now: {headline(after).lower()}.")
    for ranked in after.ranking:
        old = before.of(ranked.method)
        told = []
        if old.state != ranked.state:
            told.append(f"{ranked.state} instead of {old.state}")
        if abs(old.score - ranked.score) >= SMALLEST_CHANGE:
            told.append(f"{ranked.score:.2f} instead of {old.score:.2f}")
        if told:
            lines.append(f"{ranked.title}: {', '.join(told)}")
    return Section(f"What if {' and '.join(changes)}", tuple(lines))


# --- the parts --------------------------------------------------------------------------------------


def _answer(choice: Choice) -> Iterator[str]:
    if choice.chosen != choice.recommended and choice.chosen is not None:
        yield f"Chosen by a person: {_title(choice, choice.chosen)} ({choice.because or 'no grounds given'})"
    if choice.sequence:
        names = ", then ".join(_title(choice, name) for name in choice.sequence)
        yield f"{'sequence':<{_SHAPE_WIDTH}}{names}"
        yield f"{'entry':<{_SHAPE_WIDTH}}{choice.shape.entry}"
        yield f"{'growth':<{_SHAPE_WIDTH}}{choice.shape.scaling}"
        for overlay in choice.shape.overlays:
            yield f"{'safety':<{_SHAPE_WIDTH}}{overlay.text}"
    for reason in choice.reasons:
        yield f"- {reason}"


def _ranking(choice: Choice) -> Iterator[str]:
    for ranked in choice.ranking:
        bar = "#" * round(ranked.score * BAR)
        yield f"{ranked.title:<11} {ranked.score:.2f} {bar:<{BAR}} {ranked.state:<8}{_standing(ranked)}"
        if ranked.unlock:
            yield f"{'':<12}{unlock_words(ranked)}"
    open_rules = (
        (veto.id, one.method) for one in choice.ranking for veto in one.vetoes if veto.state != "satisfied"
    )
    if named := next(open_rules, None):
        yield f"What {named[0]} and the others ask for: --why {named[1].replace('_', '-')}"


def _standing(ranked: Ranked) -> str:
    violated = [veto for veto in ranked.vetoes if veto.state == "violated"]
    if violated:
        return "  " + ", ".join(f"{veto.id}: {veto.title}" for veto in violated)
    unknown = [veto.id for veto in ranked.vetoes if veto.state == "unknown"]
    return f"  open: {', '.join(unknown)}" if unknown else ""


def _holds(choice: Choice) -> Iterator[str]:
    violated = [hold for hold in choice.holds if hold.state == "violated"]
    if violated:
        yield "These hold back the date and block no method: what is said of methods above stands."
    for hold in violated:
        yield f"{hold.id}  {hold.title}: {hold.evidence}. {hold.unlock}."
    still = [hold.id for hold in choice.holds if hold.state == "unknown"]
    if violated and still:
        yield f"not known yet: {', '.join(still)}; `rollway assess` asks for what would settle them"


def _on_means(outcomes: Outcomes) -> Iterator[str]:
    """How a mean can lie outside of its range, where that is seen and would puzzle."""
    above = [row for row in outcomes.rows if row.harmed_if_faulty.mean > row.harmed_if_faulty.high]
    if above:
        yield "A mean above its range is no slip: a fault that few draws meet harms very many users there."


def _how_sure(choice: Choice, robustness: Robustness) -> Iterator[str]:
    if choice.verdict == "recommended":  # a mere leaning is no answer that weights could confirm
        yield from _over_weights(choice, robustness)
    shares = sorted(robustness.by_unknowns.items(), key=lambda one: -one[1])
    told = ", ".join(f"{_title(choice, name)} {share:.0%}" for name, share in shares if share >= 0.005)
    yield f"With the unknown facts drawn, this comes first: {told}."
    if choice.verdict == "recommended" and shares and shares[0][0] != choice.recommended:
        yield (
            f"  So {_title(choice, choice.recommended)} rests on what is stated; what is still unknown may "
            f"well turn it to {_title(choice, shares[0][0])}. Ask before you plan."
        )
    for flip in robustness.flips:
        yield f"- {flip_words(choice, flip)}"


def _over_weights(choice: Choice, robustness: Robustness) -> Iterator[str]:
    if robustness.first is None:
        return
    share = robustness.by_weights[robustness.first]
    title = _title(choice, robustness.first)
    sure = share > SURE_OF_WEIGHTS
    whatever = "whatever the criteria weigh" if sure else f"under {share:.0%} of all weightings"
    yield f"With the facts as stated, {title} comes first {whatever}."
    for row in robustness.weights:
        if row.low > 0 or row.high < float("inf"):
            name = row.criterion.replace("_", " ")
            yield f"  {name} weighs {row.stated:g}: {_between(row.low, row.high)}"


def _between(low: float, high: float) -> str:
    if high == float("inf"):
        return f"another method comes first below {low:.2g}"
    if low <= 0:
        return f"another method comes first above {high:.2g}"
    return f"another method comes first below {low:.2g} and above {high:.2g}"


def flip_words(choice: Choice, flip: Flip) -> str:
    """One change that would turn the choice, as a sentence."""
    to = _title(choice, flip.to) if flip.to else "no method"
    return f"{to} comes first if {' and '.join(_change_words(change) for change in flip.changes)}."


def _change_words(change: Change) -> str:
    label = WORDINGS[change.path].label if change.path in WORDINGS else change.path
    if change.was is None:
        return f"{label}: {plain(change.becomes)} (now unknown)"
    return f"{label}: {plain(change.becomes)} (now {plain(change.was)})"


def plain(value: Any) -> str:
    """A fact's value as people write it."""
    from rollway.facts.fact import Fact

    return Fact[Any](state="known", value=value, source="").quote().replace("_", " ")


def _asked(choice: Choice, robustness: Robustness | None) -> Iterator[str]:
    if robustness is None:
        yield from (f"- {text}" for text in choice.next_questions)
        return
    worth = robustness.questions[:QUESTIONS]
    yield from (f"- {question_words(question)}" for question in worth)
    told = [f"({question.path})" for question in worth]
    settling = [text for text in choice.next_questions if ": settles " in text]
    others = [text for text in settling if not any(path in text for path in told)]
    yield from (f"- {text}" for text in others[: QUESTIONS - len(worth)])
    if not worth and not others:
        yield "Nothing that is still unknown would lead to another method."


def question_words(question: Question) -> str:
    """One unknown, and what knowing it is worth."""
    return (
        f"{ask_for(question.path)}: {question.turns:.0%} of the answers lead to another method "
        f"(worth {question.worth:.3f})."
    )


def _title(choice: Choice, name: MethodName | None) -> str:
    return choice.of(name).title if name else "none"


def _days(days: float) -> str:
    return f"{days:g} day{'' if days == 1 else 's'} of work"
