"""Evidence in, verdict out: pure mathematics over an append-only list of readings.

This room reads no clock, does no input or output and knows nothing of plans, targets or people.
"""

from rollway.judge.absorb import update
from rollway.judge.arithmetic import requests_to_clear, requests_to_detect
from rollway.judge.decide import verdict
from rollway.judge.dispersion import Dispersion
from rollway.judge.model import (
    Assigned,
    BlindReason,
    Counts,
    Depths,
    GuardRule,
    GuardStanding,
    GuardVerdict,
    Histogram,
    Moments,
    Past,
    Problem,
    Reading,
    Rules,
    Sample,
    Verdict,
    VerdictKind,
    sample_from_json,
    sample_to_json,
)
from rollway.judge.playback import replay
from rollway.judge.state import JudgeState, begin, dump, load

__all__ = [
    "Assigned",
    "BlindReason",
    "Counts",
    "Depths",
    "Dispersion",
    "GuardRule",
    "GuardStanding",
    "GuardVerdict",
    "Histogram",
    "JudgeState",
    "Moments",
    "Past",
    "Problem",
    "Reading",
    "Rules",
    "Sample",
    "Verdict",
    "VerdictKind",
    "begin",
    "dump",
    "load",
    "replay",
    "requests_to_clear",
    "requests_to_detect",
    "sample_from_json",
    "sample_to_json",
    "update",
    "verdict",
]
