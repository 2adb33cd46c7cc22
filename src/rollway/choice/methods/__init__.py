"""The six methods, one file each, all of the same shape. A new one is a new file and one line here.

Their order settles ties: the method that exposes the fewest people first comes first.
"""

from rollway.choice.methods.big_bang import METHOD as BIG_BANG
from rollway.choice.methods.blue_green import METHOD as BLUE_GREEN
from rollway.choice.methods.canary import METHOD as CANARY
from rollway.choice.methods.parallel import METHOD as PARALLEL
from rollway.choice.methods.phased import METHOD as PHASED
from rollway.choice.methods.pilot import METHOD as PILOT
from rollway.choice.model import Method

METHODS: tuple[Method, ...] = (
    PILOT,
    PHASED,
    CANARY,
    BLUE_GREEN,
    PARALLEL,
    BIG_BANG,
)

__all__ = ["METHODS"]
