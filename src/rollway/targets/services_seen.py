"""What several services serve, and what their preflights found, told as of one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rollway.errors import RollwayError
from rollway.rollout.serving import Check, Served

SAME_SHARE = 1e-5
MOST_NAMED = 3


def seen_together(
    served: Mapping[str, Served],
    share: float,
    *,
    silent: Mapping[str, str],
    problems: Mapping[str, str],
    refusals: Sequence[str],
) -> Served:
    """All services as one: ready when all are, with a note of who stands where and who says something.

    `share` is the one to tell; `silent` are those that did not answer this time, each with why; `problems`
    are those that could not be told what to serve.
    """
    seen = tuple(served.values())
    copies = [one.mirrored for one in seen]
    apart = max(copies) - min(copies) >= SAME_SHARE
    notes = [*_where(served), *(f"{name} does not answer: {why}" for name, why in silent.items())]
    notes += [f"{name} could not be told: {problems[name]}" for name in served if name in problems]
    notes += [f"{name}: {one.note}" for name, one in served.items() if one.note and name not in silent]
    return Served(
        share=share,
        mirrored=(min(copies) + max(copies)) / 2 if apart else max(copies),
        candidate_ready=_all(one.candidate_ready for one in seen),
        baseline_ready=_all(one.baseline_ready for one in seen),
        note="; ".join(_few(notes, "notes")),
        groups=_groups(seen),
        refusal=_sentence(_few([one.rstrip(".") for one in refusals], "services")),
    )


def checks_of_all(answers: Mapping[str, tuple[Check, ...] | Exception | None]) -> tuple[Check, ...]:
    """Each check once where it is well with all services; what is not is told of each service by itself."""
    found: dict[str, list[tuple[str, Check]]] = {"reachable": []}
    for service, answer in answers.items():
        for check in _checks(answer):
            found.setdefault(check.name, []).append((service, check))
    return tuple(check for name, rows in found.items() for check in _told(name, rows))


def _checks(answer: tuple[Check, ...] | Exception | None) -> tuple[Check, ...]:
    if isinstance(answer, tuple):
        return answer
    told = "it does not answer" if answer is None else f"{type(answer).__name__}: {answer}"
    hint = ""
    if isinstance(answer, RollwayError):
        told, hint = answer.message, answer.hint
    return (Check("reachable", "failed", told, hint),)


def _told(name: str, rows: Sequence[tuple[str, Check]]) -> Iterable[Check]:
    """What is amiss, one by one; then what is well, together."""
    well = [(service, check) for service, check in rows if check.state == "ok"]
    for service, check in rows:
        if check.state != "ok":
            yield Check(name, check.state, f"{service}: {check.told}", check.hint, check.seconds)
    if well:
        seconds = [check.seconds for _, check in well if check.seconds is not None]
        told = "; ".join(_few([f"{service}: {check.told}" for service, check in well], "services"))
        yield Check(name, "ok", told, "", round(sum(seconds), 3) if seconds else None)


def _where(served: Mapping[str, Served]) -> list[str]:
    """Which services serve how much, where they differ."""
    by_share: dict[float, list[str]] = {}
    for name, one in served.items():
        near = next((share for share in by_share if abs(share - one.share) < 5e-3), one.share)
        by_share.setdefault(near, []).append(name)
    if len(by_share) < 2:
        return []
    parts = [f"{', '.join(_few(names, 'services'))} at {share:.4g}" for share, names in by_share.items()]
    return [f"not all serve the same: {'; '.join(_few(parts, 'shares'))}"]


def _sentence(parts: Sequence[str]) -> str:
    return f"{'; '.join(parts)}." if parts else ""


def _few(texts: Sequence[str], what: str) -> list[str]:
    if len(texts) <= MOST_NAMED + 1:
        return list(texts)
    return [*texts[:MOST_NAMED], f"and {len(texts) - MOST_NAMED} more {what}"]


def _all(told: Iterable[bool | None]) -> bool | None:
    """False where one is False; None where one cannot know."""
    answers = set(told)
    if False in answers:
        return False
    return None if None in answers else True


def _groups(seen: Sequence[Served]) -> tuple[str, ...] | None:
    """The groups that all services serve as a whole, of those that know groups."""
    known = [one.groups for one in seen if one.groups is not None]
    if not known:
        return None
    return tuple(group for group in known[0] if all(group in groups for groups in known))
