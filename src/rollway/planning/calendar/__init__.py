"""Calendars: which slot a release can have, why no earlier one, and how a quarter of releases fits together.

This room reads no clock and no file. Times become moments by the rules of `rollway.planning.windows`, which a
rollout that runs asks as well; what stands against one release when is said by `rules`.
"""
