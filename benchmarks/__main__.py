"""Every measurement that the documents quote, one after the other."""

from __future__ import annotations

from benchmarks import flags_speed, judge_validity

for measure in (judge_validity, flags_speed):
    print(f"\n=== {measure.__name__.removeprefix('benchmarks.')}: {(measure.__doc__ or '').splitlines()[0]}")
    measure.main()
