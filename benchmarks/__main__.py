"""Every measurement that the documents quote, one after the other."""

from __future__ import annotations

from benchmarks import calendar, facts_volume, flags_speed, rehearsal
from benchmarks.judge import run as judge

if __name__ == "__main__":
    for name, measure in (
        ("judge", judge),
        ("flags_speed", flags_speed),
        ("facts_volume", facts_volume),
        ("rehearsal", rehearsal),
        ("calendar", calendar),
    ):
        print(f"\n=== {name}: {(measure.__doc__ or '').splitlines()[0]}")
        measure.main()
