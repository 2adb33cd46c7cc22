"""Blue-green: two environments behind HAProxy; everyone is switched at once, and switched back at once."""

from examples.live.example import Example
from examples.live.servers import Haproxy, Prometheus

EXAMPLE = Example(
    name="blue_green",
    title="The shop on a new runtime, in a second environment",
    sequence=("blue_green",),
    servers=(Haproxy, Prometheus),
    target="environment: smoke tests, HAProxy, drain",
    signal="HAProxy's health checks; Prometheus: errors",
    bad="crash",
    breaks="dies 1.5 s after its first user",
    baked=("warm-up",),
)
