"""Blue-green by canary: a whole second environment, to which users go over share by share."""

from examples.live.example import Example
from examples.live.servers import Haproxy, Prometheus

EXAMPLE = Example(
    name="blue_green_then_canary",
    title="The shop on a new cluster, switched share by share",
    sequence=("blue_green", "canary"),
    servers=(Haproxy, Prometheus),
    target="environment: smoke tests, HAProxy, drain",
    signal="Prometheus: errors",
    bad="errors",
    breaks="fails seven times as often",
    baked=("warm-up",),
)
