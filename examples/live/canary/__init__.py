"""Canary: a pricing service behind Envoy, watched by Prometheus."""

from examples.live.example import Example
from examples.live.servers import Envoy, Prometheus

EXAMPLE = Example(
    name="canary",
    title="Prices from a new engine, for a random share of the requests first",
    sequence=("canary",),
    servers=(Envoy, Prometheus),
    target="Envoy, runtime fraction",
    signal="Prometheus: errors and latency",
    bad="errors",
    breaks="fails seven times as often",
)
