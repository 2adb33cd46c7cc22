"""Parallel: Envoy sends the new engine a copy of each request, and a query compares the prices."""

from examples.live.example import Example
from examples.live.servers import Envoy, Prometheus

EXAMPLE = Example(
    name="parallel",
    title="Prices of contracts from two engines, compared to the cent",
    sequence=("parallel",),
    servers=(Envoy, Prometheus),
    target="Envoy, mirrored requests",
    signal="SQL: prices that differ; Prometheus: errors",
    bad="wrong",
    breaks="12% of its prices are wrong",
    baked=("parallel-run", "cutover", "old-kept"),
    # The plan takes it that people do the work twice; here Envoy sends copies.
    edits={"stages.parallel-run.exposure.mode": "shadow", "stages.parallel-run.exposure.share": "1"},
    edited_because="Envoy sends the copies; and an example has seconds where a release has days",
    has_ledger=True,
)
