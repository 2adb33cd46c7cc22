"""The whole course again: what the judge said, or would have said, after each moment of a record."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from rollway.judge.absorb import update
from rollway.judge.decide import verdict
from rollway.judge.model import Reading, Rules, Verdict
from rollway.judge.plausible import is_placed
from rollway.judge.state import begin


def replay(rules: Rules, readings: Iterable[Reading]) -> list[Verdict]:
    """One verdict for each distinct end among the readings, in order, judged at that end."""
    state, verdicts = begin(rules), []
    placed = [reading for reading in readings if is_placed(reading)]
    for end, moment in groupby(sorted(placed, key=attrgetter("end")), key=attrgetter("end")):
        group = list(moment)
        state = update(rules, state, group)
        verdicts.append(verdict(rules, state, now=end, stage=group[-1].stage, share=group[-1].share))
    return verdicts
