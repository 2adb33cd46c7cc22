"""Pilot, then phased: two shops first, then the other regions."""

from examples.live.example import Example
from examples.live.servers import NginxByTill, Prometheus

EXAMPLE = Example(
    name="pilot_then_phased",
    title="A till program for twelve shops: two first, then region by region",
    sequence=("pilot", "phased"),
    servers=(NginxByTill, Prometheus),
    target="sites: a script for each shop, nginx",
    signal="Prometheus: errors",
    bad="errors",
    breaks="fails seven times as often",
    files=("shops.csv", "till-update.sh", "till-version.sh"),
    users=4800,
)
