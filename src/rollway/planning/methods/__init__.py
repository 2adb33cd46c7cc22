"""The six builders, one file each: facts in, stages out. A seventh method is a file and a line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rollway.facts.model import MethodName, Release
from rollway.planning.methods import big_bang, blue_green, canary, parallel, phased, pilot
from rollway.planning.model import Stage

Builder = Callable[[Release], tuple[Stage, ...]]

BUILDERS: Mapping[MethodName, Builder] = MappingProxyType(
    {
        "pilot": pilot.build,
        "phased": phased.build,
        "parallel": parallel.build,
        "big_bang": big_bang.build,
        "blue_green": blue_green.build,
        "canary": canary.build,
    }
)

__all__ = ["BUILDERS", "Builder"]
