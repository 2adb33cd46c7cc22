"""Why no release can begin in an opening: a set of rules of which none can be left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rollway.planning.calendar.terms import Block, Opening, refused_between, starts


def minimal_reasons(
    candidates: Iterable[Opening], against: Sequence[Block], duration: timedelta
) -> tuple[str, ...]:
    """Rules that together leave no start in any of the openings, and none of which can be left out.

    Empty where the openings are too short (or none) even without any rule, or where a start is left.
    """
    candidates = list(candidates)
    covers = [_cover(opening, against, duration) for opening in candidates]
    if any(cover is None for cover in covers):
        return ()
    kept = {block.rule for cover in covers if cover for block in cover}
    return tuple(sorted(_without_spare(kept, candidates, against, duration)))


def minimal_blocks(opening: Opening, against: Sequence[Block], duration: timedelta) -> tuple[Block, ...]:
    """The blocks of the minimal reasons that have a part in it, by time."""
    cover = _cover(opening, against, duration) or []
    rules = {block.rule for block in cover}
    kept = _without_spare(rules, [opening], against, duration)
    if kept == rules:
        return tuple(cover)
    return tuple(_cover(opening, [block for block in against if block.rule in kept], duration) or ())


def _without_spare(
    rules: set[str], candidates: Sequence[Opening], against: Sequence[Block], duration: timedelta
) -> set[str]:
    """The rules without those that the others can do without."""
    if len(rules) < 2:
        return rules
    against = [block for block in against if block.rule in rules]
    longest: dict[str, timedelta] = {}
    for block in against:
        length = block.span.end - block.span.start
        longest[block.rule] = max(longest.get(block.rule, length), length)
    kept = set(rules)
    # What holds for the shortest time is the first that is tried to be left out.
    for rule in sorted(kept, key=lambda rule: (longest[rule], rule)):
        rest = [block for block in against if block.rule in kept and block.rule != rule]
        if not any(starts(opening, rest, duration) for opening in candidates):
            kept.remove(rule)
    return kept


def _cover(opening: Opening, against: Sequence[Block], duration: timedelta) -> list[Block] | None:
    """Blocks that leave no start, each reaching as far as any can; None where a start is left."""
    last = last_start(opening, duration)
    limits = [(*refused_between(block, duration), block) for block in against]
    moment, found = opening.span.start, list[Block]()
    while moment <= last:
        around = [one for one in limits if one[0] < moment < one[1]]
        if not around:
            return None
        _, moment, furthest = max(around, key=_reach)
        found.append(furthest)
    return found


def last_start(opening: Opening, duration: timedelta) -> datetime:
    """The last moment at which a release may begin in an opening, if nothing stood against it."""
    last = opening.span.end - timedelta.resolution
    return last if opening.until is None else min(last, opening.until - duration)


def _reach(limit: tuple[datetime, datetime, Block]) -> tuple[datetime, datetime, str]:
    return limit[1], limit[2].span.start, limit[2].rule
