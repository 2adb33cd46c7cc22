"""What the people of a plan's runbook cannot do: two tasks at once, or too long without rest."""

from __future__ import annotations

from collections.abc import Iterator

from rollway.planning.model import Plan
from rollway.planning.words import listing

MOST_SHOWN = 6


def conflict_words(plan: Plan) -> Iterator[str]:
    """A line for each conflict by earliest times, the first six; times count from T."""
    from rollway.planning.runbooks import conflicts, make_schedule
    from rollway.planning.runbooks.pictures import clock
    from rollway.planning.runbooks.plan_parts import runbook_of

    if not plan.runbook:
        return
    book = runbook_of(plan)
    found = conflicts(book, make_schedule(book))
    for one in found[:MOST_SHOWN]:
        name = book.person[one.person].name or one.person
        when = f"{clock(book, one.start)} to {clock(book, one.end, zone=True)}"
        what = "is to be in two places" if one.kind == "twice at once" else "has no rest"
        yield f"{name} {what}, {when}: {listing(one.tasks)}"
    if len(found) > MOST_SHOWN:
        yield f"… and {len(found) - MOST_SHOWN} more (rollway runbook times plan.json)"
