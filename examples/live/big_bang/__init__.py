"""Big-bang: everyone in one night, by the team's own scripts and a runbook."""

from examples.live.example import Example
from examples.live.servers import Nginx, Prometheus

EXAMPLE = Example(
    name="big_bang",
    title="A new format of the orders, for everyone in one night",
    sequence=("big_bang",),
    servers=(Nginx, Prometheus),
    target="the team's scripts",
    signal="Prometheus: refused orders",
    bad="errors",
    breaks="refuses seven times as many orders",
    baked=("switch",),
    edits={"runbook.after-clean.at": "2", "runbook.after-learn.at": "2"},
    files=("switch.sh", "serving.sh", "can-we.sh", "night.yaml", "night.sh"),
)
