"""What follows from where the sites stand: who is next, what is served, when it is too much. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rollway.targets.sites_book import Aim, Standing
from rollway.targets.weights import steps_of

SAME = 1e-9
LEASE_SECONDS = 30.0
"""How long new sites are begun without being told again: a rollout that is paused, or an engine that is gone,
tells no more. Going back needs no such leave."""
STUCK_SECONDS = 30.0
"""After so long a site that could not be taken back is tried again."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Budget:
    """How many sites of a wave may fail: a number, or a part (0..1) of the wave."""

    number: int = 0
    part: float = 0.0

    def of(self, wave: int) -> int:
        return max(self.number, int(self.part * wave + SAME))


def chosen(rows: Sequence[Standing], share: float, groups: Sequence[str]) -> set[str]:
    """The sites that are to have the new version: those of the groups, or so many as the share is of all.

    Without groups those that have it come first, in the order in which they got it, then the order of the
    list; so a larger share takes it from nobody, and a smaller one from the last.
    """
    if share >= 1:
        return {row.site.name for row in rows}
    if groups:
        return {row.site.name for row in rows if row.site.group in groups}
    order = sorted(rows, key=lambda row: (row.state != "new", row.since if row.state == "new" else 0.0))
    return {row.site.name for row in order[: steps_of(share, len(rows))]}


def failed_in(rows: Sequence[Standing]) -> list[Standing]:
    """The sites of the present wave that failed."""
    return [row for row in rows if row.in_wave and row.state == "failed"]


def allowed_in(rows: Sequence[Standing], budget: Budget) -> int:
    return budget.of(sum(row.in_wave for row in rows))


def is_over(rows: Sequence[Standing], budget: Budget) -> bool:
    """Whether more sites of the wave failed than may."""
    return len(failed_in(rows)) > allowed_in(rows, budget)


def is_settled(rows: Sequence[Standing], budget: Budget) -> bool:
    """Whether all that is wanted is there, but for what may fail."""
    is_there = all(row.state == ("new" if row.is_wanted else "old") or _is_lost(row) for row in rows)
    return is_there and not is_over(rows, budget)


def _is_lost(row: Standing) -> bool:
    return row.is_wanted and row.state == "failed"


def following(
    rows: Sequence[Standing], aim: Aim, budget: Budget, now: float, is_open: Callable[[Standing], bool]
) -> Iterator[Standing]:
    """The sites that may be begun now, the first ones first: all that go back, those that got it last before
    the others; then those that are to get it, in the order of the list."""
    back = [row for row in rows if row.is_touched and not row.is_wanted]
    back = [row for row in back if row.state != "stuck" or now >= row.since + STUCK_SECONDS]
    yield from sorted(back, key=lambda row: (row.since, row.position), reverse=True)
    if now > aim.told_at + LEASE_SECONDS or is_over(rows, budget):
        return
    for row in rows:
        if row.is_wanted and row.state not in ("new", "failed") and is_open(row):
            yield row


def share_of(rows: Sequence[Standing]) -> float:
    """The share of all sites that have the new version; what has yet to go back counts as having it."""
    has = sum(row.state == "new" or (row.is_touched and not row.is_wanted) for row in rows)
    return has / len(rows) if rows else 0.0


def nearest_of(rows: Sequence[Standing], aim: Aim | None, budget: Budget, share: float, total: int) -> float:
    """The share that is really served when this one is asked for: sites are whole.

    Of what was told last it is what is there once the wave has ended, without those that may fail. Where a
    wave was stopped half way, anything below its end is as it stands: nothing is taken back for a pause.
    """
    if not rows or aim is None:
        return steps_of(share, total) / total
    if abs(share - aim.share) < SAME:
        wanted = [row for row in rows if row.is_wanted]
        lost = sum(row.state == "failed" for row in wanted) if is_settled(rows, budget) else 0
        return (len(wanted) - lost) / len(rows)
    asked, stands = steps_of(share, len(rows)) / len(rows), share_of(rows)
    whole = sum(row.is_wanted for row in rows) / len(rows)
    # Never for 0: a rollback that was not told yet must not find itself done.
    return stands if 0 < asked <= stands <= whole else asked


def groups_of(rows: Sequence[Standing], aim: Aim | None, budget: Budget) -> tuple[str, ...]:
    """The groups that have the new version as a whole, in the order of the list."""
    missing = {row.site.group for row in rows if row.state != "new"}
    if aim is not None and is_settled(rows, budget):
        missing -= set(aim.groups)
    return tuple(dict.fromkeys(row.site.group for row in rows if row.site.group not in {"", *missing}))


def refusal_of(rows: Sequence[Standing], budget: Budget) -> str:
    """Why no more sites are begun: how many of how many failed, which, and what the first of them said."""
    failed = failed_in(rows)
    allowed = allowed_in(rows, budget)
    if len(failed) <= allowed:
        return ""
    wave = sum(row.in_wave for row in rows)
    may = f"at most {allowed} may" if allowed else "none may"
    first = failed[0]
    return (
        f"{len(failed)} of {wave} sites failed ({may}): {named(failed)}. "
        f"{first.site.name} said: {first.told or 'nothing'}."
    )


def named(rows: Sequence[Standing]) -> str:
    """The first few by name: `S004, S010 and 4 more`."""
    told = ", ".join(row.site.name for row in rows[:_NAMED])
    return f"{told} and {len(rows) - _NAMED} more" if len(rows) > _NAMED else told


def progress_of(rows: Sequence[Standing]) -> str:
    """One sentence for people: `117 of 300 sites have it, 2 failed (S004, S010), 8 are being changed`."""
    counts = {state: [row for row in rows if row.state == state] for state in ("failed", "stuck")}
    parts = [f"{sum(row.state == 'new' for row in rows)} of {len(rows)} sites have it"]
    if failed := counts["failed"]:
        parts.append(f"{len(failed)} failed ({named(failed)})")
    if stuck := counts["stuck"]:
        parts.append(f"{len(stuck)} could not be taken back ({named(stuck)}; {stuck[0].told})")
    if busy := sum(row.state in ("changing", "going_back") for row in rows):
        parts.append(f"{busy} {'is' if busy == 1 else 'are'} being changed")
    if back := sum(row.is_touched and not row.is_wanted for row in rows):
        parts.append(f"{back} to be taken back")
    return ", ".join(parts)
