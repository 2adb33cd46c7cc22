"""What can be told to expose the new version: one file each, found by entry point (`rollway.targets`).

A target sets an absolute share, any number of times, and reads back what is served. It never decides what
the share should be, and knows nothing of plans, KPIs or verdicts.
"""
