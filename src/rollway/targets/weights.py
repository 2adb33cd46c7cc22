"""Shares of traffic as whole-number weights of servers, as load balancers have them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=1024)
def weights_for(share: float, candidates: int, baselines: int, most: int = 256) -> tuple[int, int]:
    """The weights (of each new server, of each old one) in 0..most whose share comes closest.

    With M new servers of weight c and N old ones of weight b the new version is given c M / (c M + b N) of
    the traffic. Shares 0 and 1 are exact; between them no side gets weight 0. Of two pairs that are equally
    close the one with larger weights is taken: balancers spread them more evenly over time.

    Raises ValueError for a share outside 0..1, or a side without servers.
    """
    if not 0 <= share <= 1 or candidates < 1 or baselines < 1:
        raise ValueError(f"no weights for share {share} with {candidates} new and {baselines} old servers")
    if share in (0, 1):
        return (0, most) if share == 0 else (most, 0)
    closest = (2.0, 0, 0)
    for old in range(most, 0, -1):
        ideal = share * old * baselines / ((1 - share) * candidates)
        for new in {min(most, max(1, int(ideal) + step)) for step in (0, 1)}:
            off = abs(share_of(new, old, candidates, baselines) - share)
            closest = min(closest, (off, -(new + old), new))
    _, both, new = closest
    return new, -both - new


def share_of(new: float, old: float, candidates: int = 1, baselines: int = 1) -> float:
    """The share that goes to the new servers by weight; 0 where all weights are 0."""
    total = new * candidates + old * baselines
    return new * candidates / total if total else 0.0


def share_by_weight(new: Sequence[float], old: Sequence[float]) -> float:
    """The same, for servers that may have different weights."""
    return share_of(sum(new), sum(old))


def steps_of(share: float, steps: int) -> int:
    """The share as a whole number of so many steps, for what knows millionths or hundredths of a percent.

    A share above 0 never becomes nobody, and one below 1 never everyone.
    """
    if share in (0, 1):
        return int(share) * steps
    return min(steps - 1, max(1, round(share * steps)))
