"""Evidence in, verdict out: pure mathematics over an append-only list of readings.

This room reads no clock, does no input or output and knows nothing of plans, targets or people.
"""

from rollway.judge.model import (
    BlindReason,
    Counts,
    GuardRule,
    GuardVerdict,
    Histogram,
    Problem,
    Reading,
    Rules,
    Sample,
    Verdict,
    VerdictKind,
    sample_from_json,
    sample_to_json,
)

__all__ = [
    "BlindReason",
    "Counts",
    "GuardRule",
    "GuardVerdict",
    "Histogram",
    "Problem",
    "Reading",
    "Rules",
    "Sample",
    "Verdict",
    "VerdictKind",
    "sample_from_json",
    "sample_to_json",
]
