"""Pilot: two shops work with it for a while, then everyone; judged by what clerks have to correct."""

from examples.live.example import Example
from examples.live.servers import HaproxyByTill

EXAMPLE = Example(
    name="pilot",
    title="Quotes at the desk, two shops first",
    sequence=("pilot",),
    servers=(HaproxyByTill,),
    target="sites: a script for each shop, HAProxy",
    signal="SQL: quotes that clerks corrected",
    bad="wrong",
    breaks="12% of its prices are wrong",
    baked=("everyone",),
    files=("shops.csv", "till-update.sh", "till-version.sh"),
    has_ledger=True,
    users=4800,
)
