"""Phased: three regions of shops behind nginx, one after the other."""

from examples.live.example import Example
from examples.live.servers import Nginx, Prometheus

EXAMPLE = Example(
    name="phased",
    title="A quote program for twelve shops, region by region",
    sequence=("phased",),
    servers=(Nginx, Prometheus),
    target="nginx, split by user",
    signal="Prometheus: errors and latency",
    bad="slow",
    breaks="takes three times as long",
    users=4800,
)
