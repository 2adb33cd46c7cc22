"""Where a KPI's numbers come from: each kind of signal in a file of its own, found by entry point.

A signal turns what a source says into readings, and says so when it cannot. It never judges, never
guesses a number that nobody reported, and never raises because a source is down.
"""

__all__: list[str] = []
